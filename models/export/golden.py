"""Golden rows: a few inputs whose scores are kept, to check a version by before traffic goes to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from streams.features.image_decode import SIDE
from streams.features.tensors import ListingFeatures, WindowFeatures, listing_batch, message_batch

Row = dict[str, npt.NDArray[Any]]
Labels = npt.NDArray[np.float32]

#: Rows of each class.
_OF_EACH: Final = 3
#: Digits that floating inputs are rounded to, so that the JSON holds them exactly and stays small (1280 a picture).
_INPUT_DIGITS: Final = 3


def message_rows(features: Sequence[WindowFeatures], labels: Labels) -> list[Row]:
    """The first windows of each class, each in its own length bucket."""
    chosen = [features[index] for index in _first_of_each(labels)]
    return [_only(message_batch([window], window.bucket)) for window in chosen]


def listing_rows(features: Sequence[ListingFeatures], labels: Labels) -> list[Row]:
    """The first listings of each class, each in its own length bucket, floats rounded."""
    chosen = [features[index] for index in _first_of_each(labels)]
    return [_only(listing_batch([listing], listing.bucket)) for listing in chosen]


def picture_rows() -> list[Row]:
    """One drawn picture, uint8 [224, 224, 3]: stripes and a disc, as flat as can be for a small file."""
    picture = Image.new("RGB", (SIDE, SIDE), (230, 224, 210))
    pen = ImageDraw.Draw(picture)
    for x in range(0, SIDE, 56):
        pen.rectangle((x, 0, x + 27, SIDE), fill=(60, 90, 150))
    pen.ellipse((60, 60, 164, 164), fill=(200, 40, 40))
    return [{"image": np.asarray(picture)}]


def _first_of_each(labels: Labels) -> list[int]:
    return [int(index) for value in (1, 0) for index in np.flatnonzero(labels == value)[:_OF_EACH]]


def _only(batch: dict[str, Any]) -> Row:
    return {name: _exact(values[0]) for name, values in batch.items()}


def _exact(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.round(values, _INPUT_DIGITS) if values.dtype.kind == "f" else values
