"""Product pictures drawn with Pillow: an outline on a table, with the marks that some sellers leave in theirs.

Marks carry signal: contact or "copy" text laid over the photo, a repeated logo, a photo of a screen, and the goods
themselves. Pillow's own fonts know no Japanese, so text is Latin.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import Final, Literal

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from marketplace.phrases.listings import Shape

#: `genuine`: receipt card or serial in the picture. `watermark`: a harmless shop name.
Mark = Literal["none", "watermark", "genuine", "copy_text", "logo_pattern", "screen"]
MARKS: Final[tuple[Mark, ...]] = ("none", "watermark", "genuine", "copy_text", "logo_pattern", "screen")

SIDE: Final = 192
#: Base64 makes 4 characters of 3 bytes, so 9 KB of JPEG are 12 KB in the event.
LARGEST_JPEG: Final = 9_000
_QUALITIES = (72, 60, 48, 36, 25)
_COPY_TEXTS = (
    "1:1 COPY",
    "AAA GRADE",
    "TOP REPLICA",
    "MIRROR QUALITY",
    "SUPER COPY",
    "WHOLESALE AAA",
    "1:1 MIRROR",
    "FACTORY PRICE",
)
_SHOP_TEXTS = (
    "used & loved",
    "my closet",
    "photo by me",
    "sample",
    "re-use shop",
    "second hand",
    "clean home",
    "thank you",
)

Colour = tuple[int, int, int]
Pen = ImageDraw.ImageDraw


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def jpeg(shape: Shape, mark: Mark, rng: Random) -> bytes:
    """One picture as JPEG of at most `LARGEST_JPEG` bytes."""
    picture = _photo(shape, mark, rng)
    for quality in _QUALITIES:
        out = BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= LARGEST_JPEG:
            return out.getvalue()
    raise AssertionError(f"a {SIDE}-pixel JPEG of quality {_QUALITIES[-1]} is above {LARGEST_JPEG} bytes")


@dataclass
class PicturePool:
    """Pictures drawn once per kind and then reused, so that traffic is not limited by the drawing (4 ms each)."""

    seed: int
    per_kind: int = 6
    _drawn: dict[tuple[Shape, Mark, int], str] = field(default_factory=dict)

    def base64(self, shape: Shape, mark: Mark, rng: Random) -> str:
        """One of the pool's pictures of that kind, base64 for `images[].data`."""
        number = rng.randrange(self.per_kind)
        key = (shape, mark, number)
        if key not in self._drawn:
            # A generator of its own for each picture: what was drawn before does not change what this one looks like.
            drawing = Random(f"{self.seed}/{shape}/{mark}/{number}")  # noqa: S311 - made-up pictures, no secret
            self._drawn[key] = b64encode(jpeg(shape, mark, drawing)).decode("ascii")
        return self._drawn[key]


def _photo(shape: Shape, mark: Mark, rng: Random) -> Image.Image:
    picture = _table(rng)
    layer = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    colour = _colour(rng)
    _OUTLINES[shape](ImageDraw.Draw(layer), colour, rng)
    if mark == "logo_pattern":
        _logos(layer, rng)
    layer = layer.rotate(
        rng.uniform(-14, 14), Image.Resampling.BILINEAR, translate=(rng.randint(-10, 10), rng.randint(-8, 8))
    )
    shadow = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    shadow.putalpha(layer.getchannel("A").point(lambda a: a // 3))
    picture.paste(ImageChops.offset(shadow, 5, 6), (0, 0), ImageChops.offset(shadow, 5, 6))
    picture.paste(layer, (0, 0), layer)
    picture = _light(picture, rng)
    pen = ImageDraw.Draw(picture)
    if mark == "genuine":
        _card(pen, rng)
    elif mark == "copy_text":
        _overlay(
            pen,
            rng.choice(_COPY_TEXTS),
            rng,
            size=rng.randint(20, 28),
            colour=rng.choice(((220, 20, 30), (250, 220, 20))),
            times=rng.randint(2, 3),
        )
    elif mark == "watermark":
        _overlay(pen, rng.choice(_SHOP_TEXTS), rng, size=rng.randint(11, 15), colour=(250, 250, 250), times=1)
    elif mark == "screen":
        picture = _of_a_screen(picture, rng)
    return picture


def _colour(rng: Random) -> Colour:
    return rng.randint(20, 235), rng.randint(20, 235), rng.randint(20, 235)


def _table(rng: Random) -> Image.Image:
    base = rng.choice(
        ((235, 232, 226), (200, 180, 150), (150, 120, 90), (90, 95, 105), (245, 245, 248), (180, 200, 190))
    )
    picture = Image.new("RGB", (SIDE, SIDE), base)
    pen = ImageDraw.Draw(picture)
    step = rng.randint(14, 40)
    for y in range(rng.randrange(step), SIDE, step):
        pen.line(
            (0, y, SIDE, y + rng.randint(-6, 6)),
            fill=_shade(base, -rng.randint(4, 22)),
            width=rng.randint(1, 3),
        )
    return picture


def _light(picture: Image.Image, rng: Random) -> Image.Image:
    gradient = Image.linear_gradient("L").resize((SIDE, SIDE)).rotate(rng.choice((0, 90, 180, 270)))
    picture = Image.blend(
        picture, ImageChops.multiply(picture, gradient.convert("RGB")), rng.uniform(0.1, 0.4)
    )
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.8, 1.2))
    return picture.filter(ImageFilter.GaussianBlur(rng.choice((0, 0, 0.6, 1.0))))


def _shade(colour: Colour, by: int) -> Colour:
    red, green, blue = (max(0, min(255, c + by)) for c in colour)
    return red, green, blue


def _bag(pen: Pen, colour: Colour, rng: Random) -> None:
    top = rng.randint(70, 90)
    pen.arc((65, top - 45, 127, top + 35), 180, 360, fill=_shade(colour, -40), width=rng.randint(4, 8))
    pen.rounded_rectangle(
        (35, top, 157, 160), radius=rng.randint(4, 18), fill=colour, outline=_shade(colour, -50), width=3
    )
    pen.rectangle((88, top + 8, 104, top + 22), fill=(200, 170, 60))


def _shoe(pen: Pen, colour: Colour, rng: Random) -> None:
    toe = rng.randint(150, 172)
    pen.polygon(((30, 80), (70, 78), (100, 108), (toe, 120), (toe, 140), (28, 140)), fill=colour)
    pen.rectangle((26, 138, toe + 2, 150), fill=(245, 245, 245), outline=(120, 120, 120))
    for x in range(72, 104, 9):
        pen.line((x, 86 + (x - 72) // 2, x + 10, 100 + (x - 72) // 2), fill=(250, 250, 250), width=3)


def _watch(pen: Pen, colour: Colour, rng: Random) -> None:
    pen.rectangle((78, 14, 114, 178), fill=_shade(colour, -30))
    pen.ellipse((46, 46, 146, 146), fill=(205, 205, 210), outline=_shade(colour, -60), width=6)
    pen.ellipse((58, 58, 134, 134), fill=colour)
    for hour in range(12):
        angle = hour * math.pi / 6
        pen.ellipse(_around(96 + 33 * math.cos(angle), 96 + 33 * math.sin(angle), 2), fill=(255, 255, 255))
    for length in (18, 28):
        angle = rng.uniform(0, 2 * math.pi)
        pen.line(
            (96, 96, 96 + length * math.cos(angle), 96 + length * math.sin(angle)),
            fill=(255, 255, 255),
            width=3,
        )


def _shirt(pen: Pen, colour: Colour, rng: Random) -> None:
    pen.polygon(
        (
            (60, 40),
            (132, 40),
            (175, 78),
            (152, 100),
            (136, 86),
            (136, 165),
            (56, 165),
            (56, 86),
            (40, 100),
            (17, 78),
        ),
        fill=colour,
    )
    pen.ellipse((78, 30, 114, 54), fill=_shade(colour, -45))
    if rng.random() < 0.5:
        pen.rectangle((56, 100, 136, 112), fill=_shade(colour, 60))


def _phone(pen: Pen, colour: Colour, rng: Random) -> None:
    pen.rounded_rectangle((60, 24, 132, 168), radius=12, fill=(25, 25, 30))
    pen.rectangle((66, 36, 126, 156), fill=colour)
    for row in range(3):
        for column in range(3):
            pen.rounded_rectangle(
                (71 + 18 * column, 44 + 20 * row, 83 + 18 * column, 56 + 20 * row), 3, fill=_colour(rng)
            )


def _bottle(pen: Pen, colour: Colour, rng: Random) -> None:
    shoulder = rng.randint(60, 84)
    pen.rectangle((84, 24, 108, shoulder), fill=_shade(colour, -60))
    pen.rounded_rectangle((64, shoulder, 128, 170), radius=10, fill=colour)
    pen.rectangle((70, shoulder + 26, 122, shoulder + 66), fill=(248, 248, 244))


def _box(pen: Pen, colour: Colour, rng: Random) -> None:
    depth = rng.randint(18, 34)
    pen.polygon(((36, 70), (36 + depth, 50), (150 + depth // 2, 50), (140, 70)), fill=_shade(colour, 30))
    pen.rectangle((36, 70, 140, 156), fill=colour)
    pen.polygon(
        ((140, 70), (150 + depth // 2, 50), (150 + depth // 2, 136), (140, 156)), fill=_shade(colour, -40)
    )


def _book(pen: Pen, colour: Colour, rng: Random) -> None:
    for layer in range(rng.randint(1, 5)):
        pen.rectangle(
            (46 + 3 * layer, 34 - 2 * layer, 138 + 3 * layer, 160 - 2 * layer),
            fill=_shade(colour, 12 * layer),
            outline=(60, 60, 60),
        )
    pen.rectangle((64, 54, 126, 68), fill=(240, 236, 220))


def _toy(pen: Pen, colour: Colour, rng: Random) -> None:
    pen.ellipse((52, 82, 140, 172), fill=colour)
    pen.ellipse((58, 28, 134, 104), fill=_shade(colour, 25))
    for x in (56, 112):
        pen.ellipse((x, 20, x + 26, 46), fill=_shade(colour, -20))
    for x in (80, 106):
        pen.ellipse((x, 56, x + 8, 66), fill=(15, 15, 15))


def _cards(pen: Pen, colour: Colour, rng: Random) -> None:
    for layer in range(rng.randint(1, 3)):
        pen.rounded_rectangle(
            (30 + 8 * layer, 62 - 9 * layer, 150 + 8 * layer, 138 - 9 * layer),
            8,
            fill=_shade(colour, 25 * layer),
            outline=(40, 40, 40),
        )
    pen.rectangle((38, 104, 142, 116), fill=(235, 235, 235))
    pen.text(
        (44, 104),
        "".join(rng.choice("ABCDEFGHJK0123456789") for _ in range(10)),
        fill=(20, 20, 20),
        font=_font(11),
    )


def _blade(pen: Pen, colour: Colour, rng: Random) -> None:
    tip = rng.randint(150, 176)
    pen.polygon(
        ((70, 84), (tip - 20, 84), (tip, 100), (70, 112)), fill=(205, 210, 216), outline=(120, 124, 130)
    )
    pen.rounded_rectangle((18, 82, 72, 114), radius=6, fill=_shade(colour, -50))
    pen.line((72, 106, tip - 6, 101), fill=(245, 248, 250), width=2)


def _pills(pen: Pen, colour: Colour, rng: Random) -> None:
    pen.rounded_rectangle(
        (30, 48, 162, 146), radius=8, fill=(196, 200, 206), outline=(140, 144, 150), width=2
    )
    for row in range(3):
        for column in range(5):
            taken = rng.random() < 0.25
            pen.ellipse(
                _around(46 + 25 * column, 66 + 31 * row, 9),
                fill=(150, 152, 158) if taken else _shade(colour, 20),
            )


def _notes(pen: Pen, colour: Colour, rng: Random) -> None:
    paper = rng.choice(((206, 198, 172), (176, 198, 176), (204, 186, 192)))
    for layer in range(rng.randint(2, 6)):
        left, top = 18 + 5 * layer, 92 - 11 * layer
        pen.rectangle((left, top, left + 134, top + 62), fill=_shade(paper, 4 * layer), outline=(90, 90, 80))
    pen.ellipse((left + 84, top + 10, left + 124, top + 52), fill=_shade(paper, -34))
    pen.text((left + 8, top + 8), "10000", fill=(60, 60, 50), font=_font(18))


def _ticket(pen: Pen, colour: Colour, rng: Random) -> None:
    pen.rectangle((22, 64, 170, 130), fill=(250, 246, 236), outline=(130, 120, 110), width=2)
    pen.rectangle((22, 64, 170, 80), fill=colour)
    for y in range(66, 130, 8):
        pen.line((132, y, 132, y + 4), fill=(120, 120, 120), width=2)
    pen.text(
        (32, 90),
        rng.choice(("ADMIT ONE", "LIVE TOUR", "ROW B 12", "GIFT")),
        fill=(40, 40, 40),
        font=_font(14),
    )


_OUTLINES: Final[dict[Shape, Callable[[Pen, Colour, Random], None]]] = {
    "bag": _bag, "shoe": _shoe, "watch": _watch, "shirt": _shirt, "phone": _phone, "bottle": _bottle, "box": _box,
    "book": _book, "toy": _toy, "card": _cards, "blade": _blade, "pills": _pills, "notes": _notes, "ticket": _ticket,
}  # fmt: skip


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


def _logos(layer: Image.Image, rng: Random) -> None:
    """Monograms in rows over the goods and nowhere else."""
    text = rng.choice(("VV", "KX", "AO", "BB", "HN", "LU"))
    pattern = Image.new("RGBA", layer.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(pattern)
    step = rng.randint(20, 28)
    ink = rng.choice(((235, 215, 150), (250, 250, 250), (40, 30, 20)))
    for row, y in enumerate(range(0, SIDE, step)):
        for x in range(-step // 2 * (row % 2), SIDE, step):
            pen.text((x, y), text, fill=(*ink, 255), font=_font(14))
    layer.paste(pattern, (0, 0), ImageChops.multiply(pattern.getchannel("A"), layer.getchannel("A")))


def _card(pen: Pen, rng: Random) -> None:
    left, top = rng.randint(6, 20), rng.randint(128, 142)
    pen.rectangle((left, top, left + 70, top + 42), fill=(252, 252, 246), outline=(60, 60, 60))
    pen.text((left + 5, top + 4), "WARRANTY", fill=(30, 30, 30), font=_font(11))
    pen.text((left + 5, top + 22), f"No.{rng.randrange(10**6):06d}", fill=(30, 30, 30), font=_font(10))


def _overlay(pen: Pen, text: str, rng: Random, *, size: int, colour: Colour, times: int) -> None:
    for _ in range(times):
        at = rng.randint(2, 24), rng.randint(4, SIDE - size - 6)
        pen.text(
            at, text, fill=colour, font=_font(size), stroke_width=max(1, size // 14), stroke_fill=(20, 20, 20)
        )


def _of_a_screen(picture: Image.Image, rng: Random) -> Image.Image:
    """Bars of light, a bezel and washed-out colours, as in a photo of another shop's page."""
    pen = ImageDraw.Draw(picture)
    for y in range(0, SIDE, rng.choice((3, 4, 5))):
        pen.line((0, y, SIDE, y), fill=(70, 80, 110))
    picture = ImageEnhance.Color(picture).enhance(0.55)
    pen = ImageDraw.Draw(picture)
    edge = rng.randint(9, 16)
    pen.rectangle((0, 0, SIDE - 1, SIDE - 1), outline=(15, 15, 18), width=edge)
    pen.rectangle((edge, edge, SIDE - edge, edge + 14), fill=(225, 228, 232))
    pen.text((edge + 6, edge + 1), "shop / item", fill=(90, 90, 90), font=_font(11))
    return picture
