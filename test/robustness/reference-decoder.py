"""Decodes pictures with Pillow, which shares no decoder of BMP with the service: one line of JSON for each path on standard input.

The pixels are those over white, 8-bit RGB, upright, as base64 of the raw bytes. 16-bit grey is scaled as the PNG
specification says, where Pillow by itself would clip it.
"""

import base64
import json
import sys

import numpy
from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None


def pixels(path):
    image = Image.open(path)
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        values = numpy.asarray(image).astype(numpy.uint32)
        transparency = image.info.get("transparency")
        grey = Image.fromarray((values / 257).round().astype(numpy.uint8), "L")
        image = grey.convert("RGBA")
        if transparency is not None:
            alpha = numpy.where(values == transparency, 0, 255).astype(numpy.uint8)
            image.putalpha(Image.fromarray(alpha, "L"))
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


for line in sys.stdin:
    try:
        image = pixels(line.rstrip("\n"))
        answer = {
            "width": image.width,
            "height": image.height,
            "data": base64.b64encode(image.tobytes()).decode(),
        }
    except Exception as error:  # any failure is an answer here
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
