"""Renders pages of random ideographs with marks, clean and degraded: render.py OUT_DIR PAGES SEED FONT...

Writes OUT_DIR/images and OUT_DIR/labels.json: {images: [{file, lines: [{text, quad}]}]}. A font is PATH or PATH:INDEX.
The weights in src/ocr/mark-weights.ts come from 130 pages (seeds 401, 411, 402) in Noto Sans CJK regular and bold, Noto
Serif CJK, WenQuanYi Zen Hei and Micro Hei, AR PL SungtiL, KaitiM, UMing and UKai.
"""
import json
import os
import random
import sys

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

MARKS = '，' * 10 + '。' * 8 + '、' * 3 + '：' * 2 + '；' * 2 + '？！'
SIZES = [11, 12, 13, 14, 16, 18, 20, 22, 24, 28]
DEGRADATIONS = ['none', 'fax', 'fax', 'fax', 'fax', 'poor', 'poor', 'blur', 'jpg']
ROWS = 18
# First level of GB 2312: the 3,755 commoner ideographs.
IDEOGRAPHS = [
    bytes([high, low]).decode('gb2312')
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if not (high == 0xD7 and low > 0xF9)
]


def sentence(length, rnd):
    text = ''
    while len(text) < length:
        text += ''.join(rnd.choice(IDEOGRAPHS) for _ in range(rnd.randint(3, 9)))
        if rnd.random() < 0.12:
            text += str(rnd.randint(1, 999))
        text += rnd.choice(MARKS) if rnd.random() < 0.9 else '\u3000'
        if rnd.random() < 0.08:
            text += str(rnd.randint(1, 2999))
    return text if rnd.random() < 0.5 else text[:-1] + ('。' if rnd.random() < 0.6 else '')


def degrade(pixels, kind, rnd, noise):
    page = pixels.astype(np.float32)
    if kind == 'fax':
        height, width = page.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rnd.uniform(-0.4, 0.4), 1)
        page = cv2.warpAffine(page, turn, (width, height), borderValue=255)
        page = cv2.GaussianBlur(page, (0, 0), rnd.uniform(0.3, 0.9)) + noise.normal(0, rnd.uniform(0, 35), page.shape)
        page = np.where(page > rnd.uniform(110, 180), 255, 0).astype(np.float32)
        specks, share = noise.random(page.shape), rnd.choice([0, 0.0005, 0.001, 0.002])
        page[specks < share / 2] = 0
        page[specks > 1 - share / 2] = 255
    elif kind == 'poor':
        page = 255 - (255 - page) * rnd.uniform(0.35, 0.9) - rnd.uniform(0, 30)
        page = cv2.GaussianBlur(page, (0, 0), rnd.uniform(0.3, 0.9)) + noise.normal(0, rnd.uniform(3, 18), page.shape)
    elif kind == 'blur':
        page = cv2.GaussianBlur(page, (0, 0), rnd.uniform(0.3, 1.0))
    return np.clip(page, 0, 255).astype(np.uint8)


def page_of_text(font, size, rnd):
    columns = rnd.randint(24, 38)
    page = Image.new('L', (size * (columns + 4), int(size * 1.75 * ROWS) + 30), rnd.choice([255, 255, 245, 230]))
    draw = ImageDraw.Draw(page)
    lines = []
    for row in range(ROWS):
        text = sentence(rnd.randint(2, 6) if rnd.random() < 0.15 else rnd.randint(columns - 14, columns - 1), rnd)
        at = (size, 14 + int(row * size * 1.75))
        while font.getlength(text) > page.width - 2 * size:
            text = text[:-1]
        draw.text(at, text, font=font, fill=rnd.choice([0, 0, 30, 60]))
        left, top, right, bottom = draw.textbbox(at, text, font=font)
        lines.append({'text': text, 'quad': [[left, top], [right, top], [right, bottom], [left, bottom]]})
    return np.array(page), lines


def main(out, pages, seed, fonts):
    rnd, noise = random.Random(seed), np.random.default_rng(seed)
    os.makedirs(f'{out}/images', exist_ok=True)
    images = []
    for number in range(pages):
        path, _, index = rnd.choice(fonts).partition(':')
        size, kind = rnd.choice(SIZES), rnd.choice(DEGRADATIONS)
        pixels, lines = page_of_text(ImageFont.truetype(path, size, index=int(index or 0)), size, rnd)
        lossy = kind in ('jpg', 'poor') or (kind == 'fax' and rnd.random() < 0.5)
        file = f'{number:03d}.{"jpg" if lossy else "png"}'
        quality = [cv2.IMWRITE_JPEG_QUALITY, rnd.choice([40, 60, 85])] if lossy else []
        cv2.imwrite(f'{out}/images/{file}', degrade(pixels, kind, rnd, noise), quality)
        images.append({'file': file, 'lines': lines})
    with open(f'{out}/labels.json', 'w') as labels:
        json.dump({'images': images}, labels, ensure_ascii=False)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
