"""Draws lines of text and notes the ink of every character, to measure character boxes against.

python make-reference.py FOLDER_OF_FONTS    (Noto CJK as *.ttc, DejaVu as *.ttf anywhere under it; Pillow 12)

Characters are drawn one by one at whole pixels without kerning, so that each one's ink is known exactly. `clean` is the
drawing; `rough` is blurred, low in contrast, unevenly lit, noisy and saved as JPEG.
"""
import io
import json
import pathlib
import random
import sys

from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 640, 560
LINES = [
    ("NotoSansCJK-Regular.ttc", 22, "该市计划新增公共停车位，逐步缓解老旧小区。"),
    ("NotoSerifCJK-Regular.ttc", 26, "图书馆全年接待读者，川流不息。"),
    ("NotoSansCJK-Bold.ttc", 18, "小儿林明的八二三十：花鸟鱼虫非常好看"),
    ("NotoSerifCJK-Bold.ttc", 32, "房屋租赁合同（样本）"),
    ("DejaVuSans.ttf", 20, "The quick brown fox jumps over the lazy dog"),
    ("DejaVuSerif.ttf", 24, "filling William illness minimum 1,286.50"),
    ("DejaVuSansMono.ttf", 17, "Invoice 2026-08-15 li.ming@example.com"),
    ("DejaVuSans.ttf", 30, "Reading order, total amount"),
    ("NotoSansCJK-Regular.ttc", 24, "编号：OCR-2026-0815 金额 98.60 元"),
    ("NotoSerifCJK-Regular.ttc", 20, "天津举办活动 Reading 剪纸皮影 total 128 号"),
]
INK = 100  # of 255: where a glyph's edge is drawn half and more


def ink_of(character: str, font: ImageFont.FreeTypeFont) -> tuple[int, int, int, int] | None:
    tile = Image.new("L", (128, 128), 0)
    ImageDraw.Draw(tile).text((32, 32), character, fill=255, font=font)
    box = tile.point(lambda value: 255 if value > INK else 0).getbbox()
    return box and tuple(side - 32 for side in box)


def main() -> None:
    fonts = {path.name: str(path) for path in pathlib.Path(sys.argv[1]).rglob("*.tt[cf]")}
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(picture)
    lines = []
    top = 16
    for name, size, text in LINES:
        font = ImageFont.truetype(fonts[name], size, index=2 if name.endswith("ttc") else 0)
        x = 24.0
        characters = []
        for character in text:
            left = round(x)
            draw.text((left, top), character, fill=0, font=font)
            box = ink_of(character, font)
            if box:
                characters.append([character, left + box[0], left + box[2]])
            x += font.getlength(character)
        assert x < WIDTH - 20, (text, x)
        lines.append({"text": text, "size": size, "characters": characters})
        top += int(size * 2.1)
    assert top < HEIGHT, top
    folder = pathlib.Path(__file__).parent
    picture.quantize(16).save(folder / "clean.png", optimize=True)
    noise = random.Random(1)
    rough = picture.filter(ImageFilter.GaussianBlur(0.9))
    pixels = rough.load()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            light = 50 + 50 * x / WIDTH
            pixels[x, y] = max(0, min(255, int(pixels[x, y] * 0.6 + light + noise.gauss(0, 6))))
    buffer = io.BytesIO()
    rough.save(buffer, "JPEG", quality=50)
    (folder / "rough.jpg").write_bytes(buffer.getvalue())
    (folder / "reference.json").write_text(json.dumps(lines, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
