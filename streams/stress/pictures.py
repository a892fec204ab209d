"""A few drawn pictures: what they show matters to no timing, that they are decoded and encoded does (pure)."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from random import Random
from typing import Final

from PIL import Image, ImageDraw

#: Side in pixels: about what marketplaces send as a preview, and more than the 224 that the encoder reads.
SIDE: Final = 320
_COUNT: Final = 16
_BLOTS: Final = 24


def pictures(rng: Random) -> list[str]:
    """JPEGs in base64, each of other shapes and colours."""
    return [_picture(rng) for _ in range(_COUNT)]


def _picture(rng: Random) -> str:
    image = Image.new("RGB", (SIDE, SIDE), _colour(rng))
    pen = ImageDraw.Draw(image)
    for _ in range(_BLOTS):
        x, y = rng.randrange(SIDE), rng.randrange(SIDE)
        pen.ellipse((x, y, x + rng.randrange(8, 120), y + rng.randrange(8, 120)), fill=_colour(rng))
    data = BytesIO()
    image.save(data, "JPEG", quality=70)
    return b64encode(data.getvalue()).decode("ascii")


def _colour(rng: Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)
