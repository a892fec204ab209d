"""What the counting models answer, as sums that anyone can do by hand, and the marks on records (pure, no imports)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

#: Header with the number under which the sender notes the record; the checker finds it again by it.
NUMBER_HEADER: Final = "campaign.number"
#: Header that says that a record cannot be used and must end as a dead letter.
POISON_HEADER: Final = "campaign.poison"

MESSAGE_MODEL: Final = "message_counts"
LISTING_MODEL: Final = "listing_counts"

#: A message's score counts who wrote in the window (seller 1, buyer 2) and the status (1 to 6): at most 0.7 + 0.3.
WRITER_WEIGHT: Final = 0.07
STATUS_WEIGHT: Final = 0.05
#: A listing's counts whether it has a picture, and the letters of its title: 40 of them are 0.56.
IMAGE_WEIGHT: Final = 0.3
TITLE_WEIGHT: Final = 0.15


def scale(version: int) -> float:
    """By what a version's score differs from that of version 1; never below a half."""
    return 1.0 - 0.01 * ((version - 1) % 50)


def message_score(version: int, writers: Iterable[int], status: int) -> float:
    """The score of a window with these writers' codes."""
    return scale(version) * (WRITER_WEIGHT * sum(writers) + STATUS_WEIGHT * status)


def listing_score(version: int, *, title_letters: int, has_picture: bool) -> float:
    """The score of a listing."""
    return scale(version) * (IMAGE_WEIGHT * has_picture + TITLE_WEIGHT * math.log1p(title_letters))
