"""Feature rows to the arrays that models take: padding, turn order and length buckets in one place.

Runs for every request, so a batch is filled with as few numpy calls as may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streams.events import STATUSES
from streams.features.auxiliary import AUX_NAMES

#: Turns of a conversation that message models see, the last being the one that is scored.
WINDOW = 5
#: Tokens per turn. Chat turns are about 15 tokens, and short buckets save 2-3 times the work on a CPU.
MESSAGE_BUCKETS = (16, 32, 64)
#: Tokens of title and description together.
LISTING_BUCKETS = (32, 64, 128)
#: 0 is an absent turn.
WRITER_CODES = {"seller": 1, "buyer": 2}
#: Width of the image encoder's output (EfficientNet-Lite0 features).
IMAGE_WIDTH = 1280

#: Writer codes, and token counts, of 0 to 5 absent turns.
_ABSENT = tuple((0,) * count for count in range(WINDOW + 1))
_STATUS_CODES = {status: code for code, status in enumerate(STATUSES, start=1)}


def status_code(status: str | None) -> int:
    """The models' number of a transaction status: its place in `events.STATUSES` + 1, 0 for any other or none."""
    return _STATUS_CODES.get(status, 0) if status is not None else 0


@dataclass(frozen=True, slots=True)
class WindowFeatures:
    """The last one to five turns of a conversation: `tokens` int64 arrays and writer codes, oldest first."""

    tokens: tuple[npt.NDArray[np.int64], ...]
    writers: tuple[int, ...]
    status: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.tokens) <= WINDOW or len(self.tokens) != len(self.writers):
            raise ValueError(
                f"a window holds 1 to {WINDOW} turns, each with a writer; "
                f"got {len(self.tokens)} turns and {len(self.writers)} writers"
            )

    @property
    def bucket(self) -> int:
        """The smallest message bucket that holds the longest turn; the largest where none does (the turn is cut)."""
        return _bucket(max(map(len, self.tokens)), MESSAGE_BUCKETS)


def message_batch(rows: Sequence[WindowFeatures], bucket: int) -> dict[str, npt.NDArray[np.int64]]:
    """Inputs of a message model: `tokens` int64 [B, 5, L], `writer` int64 [B, 5], `status` int64 [B, 1].

    L = `bucket`; longer turns keep their first L tokens. Absent turns lead, and all padding is 0.
    """
    lengths: list[int] = []
    turns: list[npt.NDArray[np.int64]] = []
    writers: list[tuple[int, ...]] = []
    for row in rows:
        absent = _ABSENT[WINDOW - len(row.tokens)]
        writers.append(absent + row.writers)
        lengths += absent
        for turn in row.tokens:
            length = len(turn)
            lengths.append(min(length, bucket))
            turns.append(turn if length <= bucket else turn[:bucket])
    # One boolean assignment for all turns: some 1.8 µs a row of five, where a slice per turn takes 3.1.
    tokens = np.zeros((len(rows) * WINDOW, bucket), np.int64)
    if turns:
        tokens[np.arange(bucket) < np.array(lengths)[:, np.newaxis]] = np.concatenate(turns)
    return {
        "tokens": tokens.reshape(len(rows), WINDOW, bucket),
        "writer": np.array(writers, np.int64).reshape(len(rows), WINDOW),
        "status": np.array([row.status for row in rows], np.int64).reshape(len(rows), 1),
    }


@dataclass(frozen=True, slots=True)
class ListingFeatures:
    """A listing: `tokens` int64 of title then description, `aux` float32 [A], `image` float32 [1280] or None."""

    tokens: npt.NDArray[np.int64]
    aux: npt.NDArray[np.float32]
    image: npt.NDArray[np.float32] | None

    def __post_init__(self) -> None:
        if self.aux.shape != (len(AUX_NAMES),):
            raise ValueError(f"aux has shape {self.aux.shape}; auxiliary_values gives ({len(AUX_NAMES)},)")
        if self.image is not None and self.image.shape != (IMAGE_WIDTH,):
            raise ValueError(f"image has shape {self.image.shape}; the image encoder gives ({IMAGE_WIDTH},)")

    @property
    def bucket(self) -> int:
        """The smallest listing bucket that holds the tokens; the largest where none does (the rest is cut)."""
        return _bucket(len(self.tokens), LISTING_BUCKETS)


def listing_batch(rows: Sequence[ListingFeatures], bucket: int) -> dict[str, npt.NDArray[np.generic]]:
    """Inputs of a listing model: `tokens` int64 [B, L], `image` float32 [B, 1280], `has_image` and `aux` float32.

    L = `bucket`. A missing image is zeros with `has_image` [B, 1] = 0, which the models mask; `aux` is [B, A].
    """
    tokens = np.zeros((len(rows), bucket), np.int64)
    image = np.zeros((len(rows), IMAGE_WIDTH), np.float32)
    has_image = np.zeros((len(rows), 1), np.float32)
    aux = np.empty((len(rows), len(AUX_NAMES)), np.float32)
    for index, row in enumerate(rows):
        length = min(len(row.tokens), bucket)
        tokens[index, :length] = row.tokens[:length]
        aux[index] = row.aux
        if row.image is not None:
            image[index] = row.image
            has_image[index] = 1.0
    return {"tokens": tokens, "image": image, "has_image": has_image, "aux": aux}


def _bucket(length: int, buckets: tuple[int, ...]) -> int:
    return next((bucket for bucket in buckets if length <= bucket), buckets[-1])
