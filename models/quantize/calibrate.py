"""Calibration pages that this project owns: rendered from a seed, so that nobody needs a data set to make the int8 pack.

Twelve kinds of page, with the noise, blur, compression and backgrounds of scans, screenshots and photographs. The fonts come in a
pinned Python package, so that every machine renders the same pixels. `python calibrate.py FOLDER` writes the pages to look at.
"""

import dataclasses
import importlib.util
import io
import os
import random
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import sample_text

# Noto Sans, Noto Serif (SIL Open Font License) and Source Han Mono (the same) out of the package `mplfonts`.
FONT_FILES = ("NotoSansCJKsc-Regular.otf", "NotoSerifCJKsc-Regular.otf", "SourceHanMonoSC-Regular.otf")

# The service detects at 960 pixels on the longest side and enlarges at most twice; calibration must see what it will see.
DETECTOR_SIDE = 960
DETECTOR_MAX_SCALE = 2.0
SIDE_MULTIPLE = 32

# It recognises lines 48 pixels high, cut with 0.3 of their height around the ink.
LINE_HEIGHT = 48
LINE_MARGIN = 0.3

# Lines narrower or wider than this (at 48 pixels) are rare and weigh as much as others in the statistics.
LINE_WIDTHS = (64, 1000)


@dataclasses.dataclass
class Page:
    kind: str
    image: Image.Image
    # (text, (left, top, right, bottom) of the ink)
    lines: list


@dataclasses.dataclass
class Look:
    """What tells one kind of page from another."""

    size: tuple  # width, height
    text: tuple  # smallest and largest type size in pixels
    length: tuple  # characters in a line
    columns: int = 1
    dark: bool = False
    ruled: bool = False
    background: str = "plain"  # plain, gradient, texture
    bold: float = 0.1  # share of bold lines
    spacing: float = 1.6  # line pitch against type size
    noise: float = 0.0  # standard deviation in grey levels
    blur: float = 0.0  # radius in pixels
    jpeg: int = 0  # quality, 0 for none
    rotation: float = 0.0  # largest angle in degrees; detector pages only


LOOKS = {
    "document": Look((1240, 1600), (24, 34), (18, 34), noise=2, jpeg=85),
    "letter": Look((1000, 1300), (20, 28), (20, 40), bold=0.3, rotation=1.5, noise=4, jpeg=70),
    "receipt": Look((480, 960), (18, 26), (6, 22), noise=6, blur=0.6, jpeg=75, rotation=2),
    "table": Look((1280, 900), (16, 24), (2, 9), columns=5, ruled=True),
    "screenshot": Look((1280, 800), (13, 18), (4, 30), columns=2, spacing=2.0),
    "dark": Look((1080, 1080), (16, 40), (4, 24), dark=True, spacing=1.9, bold=0.3),
    "slide": Look((1280, 720), (26, 64), (4, 20), background="gradient", bold=0.4, spacing=1.8),
    "sign": Look(
        (960, 640),
        (70, 150),
        (2, 7),
        background="gradient",
        bold=0.7,
        spacing=1.5,
        noise=5,
        blur=1.0,
        jpeg=60,
        rotation=6,
    ),
    "card": Look(
        (860, 540), (20, 38), (4, 18), background="texture", bold=0.2, spacing=1.8, noise=3, jpeg=80, rotation=3
    ),
    "small": Look((900, 700), (10, 13), (10, 50), columns=2, spacing=1.5, jpeg=90),
    "poor": Look((800, 1000), (18, 26), (8, 26), noise=14, blur=1.2, jpeg=35, background="texture", rotation=4),
    "label": Look((700, 700), (16, 60), (3, 16), background="gradient", bold=0.4, noise=4, jpeg=75, rotation=8),
}


def pages(seed, rounds):
    """`rounds` pages of every kind. The same seed gives the same pixels."""
    return [
        _render(kind, look, random.Random(f"{seed} {kind} {n}")) for n in range(rounds) for kind, look in LOOKS.items()
    ]


def recognizer_inputs(page_list, per_page, seed):
    """[(1, 3, 48, W) float array, text]: lines of every page, spread evenly over the kinds."""
    rng = random.Random(seed)
    chosen = []
    for page in page_list:
        lines = list(page.lines)
        rng.shuffle(lines)
        taken = 0
        for text, box in lines:
            crop = _line_image(page.image, box)
            if taken < per_page and crop is not None:
                chosen.append((_to_input(crop), text))
                taken += 1
    return chosen


def detector_inputs(page_list, seed):
    """(1, 3, H, W) float arrays: whole pages at the service's resolution, some turned a little."""
    rng = random.Random(seed)
    inputs = []
    for page in page_list:
        image, limit = page.image, LOOKS[page.kind].rotation
        if limit > 0:
            edge = image.getpixel((2, 2))
            image = image.rotate(rng.uniform(-limit, limit), Image.Resampling.BICUBIC, expand=True, fillcolor=edge)
        scale = min(DETECTOR_SIDE / max(image.size), DETECTOR_MAX_SCALE)
        width, height = (max(1, round(side * scale / SIDE_MULTIPLE)) * SIDE_MULTIPLE for side in image.size)
        inputs.append(_to_input(image.resize((width, height), Image.Resampling.BICUBIC)))
    return inputs


def _to_input(image):
    """Planes in the order B, G, R, values from -1 to 1, as both models take them."""
    pixels = np.asarray(image, np.float32)[:, :, ::-1]
    return np.ascontiguousarray(((pixels / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None])


def _line_image(image, box):
    left, top, right, bottom = box
    margin = LINE_MARGIN * (bottom - top)
    left, top = max(0, round(left - margin)), max(0, round(top - margin))
    right, bottom = min(image.width, round(right + margin)), min(image.height, round(bottom + margin))
    width = round(LINE_HEIGHT * (right - left) / (bottom - top))
    if not LINE_WIDTHS[0] <= width <= LINE_WIDTHS[1]:
        return None
    return image.crop((left, top, right, bottom)).resize((width, LINE_HEIGHT), Image.Resampling.BICUBIC)


def _render(kind, look, rng):
    image = _background(look, rng)
    draw = ImageDraw.Draw(image)
    ink = _ink(image, look, rng)
    lines = []
    margin = round(0.05 * look.size[0])
    column_width = (look.size[0] - 2 * margin) // look.columns
    for column in range(look.columns):
        left = margin + column * column_width
        y = margin
        while y < look.size[1] - margin - look.text[0]:
            y = _line(draw, look, rng, (left, y, column_width), ink, lines)
    if look.ruled:
        _rules(draw, look, margin, column_width, ink)
    return Page(kind, _degrade(image, look, rng), lines)


def _line(draw, look, rng, place, ink, lines):
    """Draws one line if it fits and gives the y of the next."""
    left, top, width = place
    # Tables keep one size, so that their rows stay in line.
    size = look.text[0] if look.ruled else rng.randint(*look.text)
    pitch = round(size * look.spacing)
    if not look.ruled and rng.random() < 0.1:
        return top + pitch  # an empty line, as between paragraphs
    font = _font(rng.choice(FONT_FILES), size)
    text = sample_text.line(rng, rng.randint(*look.length))
    while draw.textlength(text, font) > width - size and len(text) > 1:
        text = text[:-1]
    text = text.strip()
    x = left + (rng.randint(0, size) if look.ruled else rng.choice([0, 0, size, 2 * size]))
    y = top + (pitch - size) // 2
    # Below 20 pixels the thinnest stroke that Pillow can add closes the counters.
    bold = rng.random() < look.bold and size >= 20
    stroke = max(1, size // 24) if bold else 0
    box = draw.textbbox((x, y), text, font, stroke_width=stroke)
    if text and box[2] < left + width and box[3] < look.size[1]:
        draw.text((x, y), text, ink if rng.random() < 0.9 else _accent(ink, rng), font, stroke_width=stroke)
        lines.append((text, box))
    return top + pitch


def _rules(draw, look, margin, column_width, ink):
    pitch = round(look.text[0] * look.spacing)
    right, bottom = margin + look.columns * column_width, look.size[1] - margin
    for y in range(margin, bottom + 1, pitch):
        draw.line((margin, y, right, y), ink)
    for column in range(look.columns + 1):
        x = margin + column * column_width
        draw.line((x, margin, x, bottom), ink)


def _background(look, rng):
    width, height = look.size
    base = np.array([rng.randint(20, 60) if look.dark else rng.randint(225, 255) for _ in range(3)], np.float64)
    y, x = np.mgrid[0:height, 0:width]
    field = np.zeros((height, width))
    if look.background == "gradient":
        base = np.array([rng.randint(30, 230) for _ in range(3)], np.float64)
        field = rng.uniform(-60, 60) * x / width + rng.uniform(-60, 60) * y / height
    elif look.background == "texture":
        base = base - rng.uniform(0, 60)
        field = sum(
            rng.uniform(4, 12) * np.sin(x * rng.uniform(0.005, 0.2) + y * rng.uniform(0.005, 0.2)) for _ in range(3)
        )
    return Image.fromarray(np.clip(base + field[:, :, None], 0, 255).astype(np.uint8))


def _ink(image, look, rng):
    """Dark on light or light on dark, whatever the background asks for; not always black."""
    grey = np.asarray(image.convert("L")).mean()
    contrast = rng.randint(0, 70)
    value = contrast if grey > 127 else 255 - contrast
    return tuple(int(np.clip(value + rng.randint(-25, 25), 0, 255)) for _ in range(3))


def _accent(ink, rng):
    """A coloured variant, as of links, prices and seals."""
    light = sum(ink) > 3 * 127
    channel = rng.randrange(3)
    return tuple((255 if i == channel else 170) if light else (190 if i == channel else 20) for i in range(3))


def _degrade(image, look, rng):
    if look.blur > 0:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1) * look.blur))
    if look.noise > 0:
        noise = np.random.default_rng(rng.randrange(2**32)).normal(0, look.noise, (look.size[1], look.size[0], 3))
        image = Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))
    if look.jpeg > 0:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=look.jpeg)
        image = Image.open(buffer).convert("RGB")
    return image


def _font(name, size):
    # Found, not imported: the package would import matplotlib.
    package = importlib.util.find_spec("mplfonts")
    if package is None:
        raise SystemExit("the fonts are missing: pip install --no-deps -r requirements.txt")
    path = os.path.join(package.submodule_search_locations[0], "fonts", name)
    # The basic layout engine: Raqm is not in every build of Pillow and would move glyphs.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for number, page in enumerate(pages("look", 1)):
        page.image.save(os.path.join(folder, f"{number:02}-{page.kind}.png"))


if __name__ == "__main__":
    main()
