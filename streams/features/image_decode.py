"""Bytes from strangers to the 224 × 224 pixels that the image encoder takes, within hard limits."""

from __future__ import annotations

import io
import math
import re
import struct
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Width and height that the encoder takes.
SIDE = 224
#: A listing's picture is 0.1 to 4 MB.
MAX_BYTES = 12 << 20
#: Phones take 12 to 50 million pixels, and shops scale down on upload. Decoded at 4 bytes each this is 144 MB; libwebp
#: holds two canvases of its own beside Pillow's two, so that a WebP takes up to 583 MB
#: (docs/security.md).
MAX_PIXELS = 36_000_000
#: A progressive JPEG has about 10 scans, and each passes over the whole picture: 240 KB of empty scans, 500 of them, kept
#: a decoder busy for half a minute. libvips draws the same line.
MAX_SCANS = 100
#: Everything else that Pillow reads (PostScript, TIFF, icons, ...) is refused before its decoder is tried.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

_ORIENTATION_TAG = 0x0112
_ORIENTATIONS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Pixels that are brought to RGB at a time, so that the steps of that do not each hold a whole picture.
_BAND_PIXELS = 1 << 20
#: How much larger than `SIDE` a picture stays after the cheap averaging that comes before the filter.
_REDUCING_GAP = 2.0

#: In a JPEG: 0xFF, any fill bytes, and the code of a marker. Stuffed zeros, restarts and TEM stand alone and say nothing.
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd7\xff])")
_JPEG_START, _JPEG_END, _JPEG_SCAN = 0xD8, 0xD9, 0xDA

# Pillow warns once for each EXIF tag that does not fit, Python remembers each distinct warning for ever, and a picture may
# hold 65,000 of them.
warnings.filterwarnings("ignore", module=r"PIL\.")


class ImageRefused(Exception):
    """A picture that cannot or must not be used. `reason` is a stable code that goes into the prediction's notes."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode_image(data: bytes) -> npt.NDArray[np.uint8]:
    """The picture as uint8 [224, 224, 3] RGB, upright, transparent parts white; of an animation its first frame.

    The whole picture is scaled without keeping its proportions: a crop would let something hide at the edge.
    Raises `ImageRefused`: `image_too_large` (bytes), `image_bomb` (pixels, scans), `image_broken` (anything else).
    """
    if len(data) > MAX_BYTES:
        raise ImageRefused("image_too_large", f"{len(data)} bytes; at most {MAX_BYTES} are decoded")
    try:
        return _decode(data)
    except ImageRefused:
        raise
    except Image.DecompressionBombError as error:
        raise ImageRefused("image_bomb", str(error)) from error
    except Exception as error:
        # Hostile bytes: Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, IndexError and more,
        # and none of them may stop the worker. The cause stays attached.
        raise ImageRefused("image_broken", f"{type(error).__name__}: {error}") from error


def _decode(data: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageRefused("image_bomb", f"{width} × {height} pixels; at most {MAX_PIXELS} are decoded")
        if image.format == "JPEG" and _scans(data) > MAX_SCANS:
            raise ImageRefused("image_bomb", f"a JPEG of more than {MAX_SCANS} scans")
        turn = _ORIENTATIONS.get(_orientation(image))
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG only: decodes at 1/2, 1/4 or 1/8 of the size
        upright = _scaled(image)
    if turn is not None:  # after scaling, where it costs nothing
        upright = upright.transpose(turn)
    return np.asarray(upright, np.uint8)


def _scans(jpeg: bytes) -> int:
    """How many scans the decoder would go through, counted up to one more than are allowed.

    Markers inside a segment (a thumbnail's) and behind the end (a film that a phone appends) are not the picture's.
    """
    scans, at = 0, 2
    while scans <= MAX_SCANS and (marker := _MARKER.search(jpeg, at)):
        code, at = marker[1][0], marker.end()
        if code == _JPEG_END:
            break
        if code != _JPEG_START:
            at += int.from_bytes(jpeg[at : at + 2], "big")
        scans += code == _JPEG_SCAN
    return scans


def _scaled(image: Image.Image) -> Image.Image:
    """The picture as RGB of `SIDE` x `SIDE`; as `resize(..., reducing_gap=2)` of the whole gives it, in less memory."""
    width, height = image.size
    by_x, by_y = (max(1, int(length / SIDE / _REDUCING_GAP)) for length in (width, height))
    rows = by_y * max(1, _BAND_PIXELS // (width * by_y))
    small = Image.new("RGB", (math.ceil(width / by_x), math.ceil(height / by_y)))
    for top in range(0, height, rows):
        band = _rgb(image.crop((0, top, width, min(top + rows, height))))
        small.paste(band.reduce((by_x, by_y)), (0, top // by_y))
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=(0, 0, width / by_x, height / by_y))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) where there is none or none that can be read.

    A broken tag is no reason to refuse the picture: anyone could hide one that way.
    """
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except (SyntaxError, ValueError, TypeError, LookupError, struct.error):
        return 1
    return orientation if isinstance(orientation, int) else 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel, which convert() would cut off at 255 instead of scaling
        image = Image.fromarray((np.asarray(image, np.uint32) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
