"""Bytes from strangers to the 224 × 224 pixels that the image encoder takes, within hard limits."""

from __future__ import annotations

import io
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Width and height that the encoder takes.
SIDE = 224
#: A listing's picture is 0.1 to 4 MB.
MAX_BYTES = 12 << 20
#: 36 million pixels of 4 bytes are 144 MB while one picture is decoded; phones take 12 to 50 million, and shops
#: scale down on upload. A JPEG is decoded at reduced size, so that only its header counts.
MAX_PIXELS = 36_000_000
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


class ImageRefused(Exception):
    """A picture that cannot or must not be used. `reason` is a stable code that goes into the prediction's notes."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode_image(data: bytes) -> npt.NDArray[np.uint8]:
    """The picture as uint8 [224, 224, 3] RGB, upright, transparent parts white; of an animation its first frame.

    The whole picture is scaled without keeping its proportions: a crop would let something hide at the edge.
    Raises `ImageRefused`: `image_too_large` (bytes), `image_bomb` (pixels), `image_broken` (anything else).
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
        turn = _ORIENTATIONS.get(_orientation(image))
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG only: decodes at 1/2, 1/4 or 1/8 of the size
        upright = _rgb(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if turn is not None:  # after scaling, where it costs nothing
        upright = upright.transpose(turn)
    return np.asarray(upright, np.uint8)


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
