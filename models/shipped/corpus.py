"""The generated data that the shipped models are made from: four parts, apart in time and in phrasing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from marketplace import conversations, listings
from marketplace.conversations import Mix
from marketplace.examples import listing_examples, message_examples
from marketplace.grammar import Phrasing
from marketplace.listings import ListingMix

#: `training` and `selection` (of the best epoch) are rich in violations; `threshold` and the two held-out parts hold
#: as few as traffic does. `held_out` speaks known and unseen phrasings half and half, `unseen` only unseen ones.
PartName = Literal["training", "selection", "threshold", "held_out", "unseen"]
PARTS: Final[tuple[PartName, ...]] = ("training", "selection", "threshold", "held_out", "unseen")

_PHRASING: Final[dict[PartName, Phrasing]] = {
    "training": "known",
    "selection": "validation",
    "threshold": "validation",
    "held_out": "held_out",
    "unseen": "unseen",
}
#: Each part is later than the one before it.
_STARTS: Final[dict[PartName, datetime]] = {
    part: datetime(2026, month, 1, tzinfo=UTC) for month, part in enumerate(PARTS, start=1)
}
RICH: Final[tuple[PartName, ...]] = ("training", "selection")
#: Pictures are drawn per seed and reused within it; new ones after so many listings.
_LISTINGS_PER_SEED: Final = 2000
#: Seeds of one part: far more than any part needs.
_SEEDS_PER_PART: Final = 100


@dataclass(frozen=True, slots=True)
class Sizes:
    """Examples per part."""

    training: int
    selection: int
    threshold: int
    held_out: int
    unseen: int

    def of(self, part: PartName) -> int:
        """Examples of that part."""
        size: int = getattr(self, part)
        return size


def message_part(part: PartName, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` labelled windows of that part."""
    rich = conversations.TRAINING
    natural = conversations.TRAFFIC
    chosen = rich if part in RICH else natural
    mix = Mix(chosen.violation_share, chosen.near_miss_share, _PHRASING[part])
    return message_examples(_seed(part, seed), count, start=_STARTS[part], mix=mix)


def listing_part(part: PartName, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` labelled listings of that part, pictures inside."""
    chosen = listings.TRAINING if part in RICH else listings.TRAFFIC
    mix = ListingMix(chosen.violation_share, chosen.near_miss_share, chosen.image_share, _PHRASING[part])
    for number, done in enumerate(range(0, count, _LISTINGS_PER_SEED)):
        stretch = min(_LISTINGS_PER_SEED, count - done)
        yield from listing_examples(_seed(part, seed) + number, stretch, start=_STARTS[part], mix=mix)


def _seed(part: PartName, seed: int) -> int:
    return (seed * len(PARTS) + PARTS.index(part)) * _SEEDS_PER_PART
