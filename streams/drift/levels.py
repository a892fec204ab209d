"""How far is too far: the levels of drift, their limits, and where these come from (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from streams.drift.measures import Distance

#: Fewer events than this on one side are not compared: they are of some hundred conversations, whose messages resemble
#: each other. With 100 events 26 of 3,000 comparisons of the same traffic were taken for drift, with 500 eight, with
#: 2,000 none (docs/drift.md).
LEAST_EVENTS: Final = 1_000
#: From so many parts on it is known how much they usually differ: a week of days.
LEAST_PARTS: Final = 7
#: The newest of the parts do not say what is usual: a week of four. A reference that goes on with time takes in the
#: first days of what has just changed; they must not make it usual at once, and so it stays drift for a week.
NEWEST: Final = 0.25
#: No Sunday is quite like another: what is usual may be exceeded by so much. Of a population stability it is a move
#: that is 12 % larger.
MARGIN: Final = 1.25


class Level(IntEnum):
    """What there is to do, as the metrics show it."""

    TOO_FEW = -1
    STEADY = 0
    WATCH = 1
    DRIFTED = 2

    @property
    def word(self) -> str:
        """For people."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Limits:
    """From here on a distance is worth watching, and from here on it is drift."""

    watch: float
    drifted: float


#: Population stability: the levels of credit scoring, 0.1 and 0.25 (Siddiqi 2006).
STABILITY: Final = Limits(0.1, 0.25)
#: Kolmogorov-Smirnov: what those two are for a normal distribution that moves by d deviations. Its index is d², its
#: largest difference 2 Φ(d / 2) - 1: 0.1256 at d² = 0.1, 0.1974 at d² = 0.25.
KOLMOGOROV_SMIRNOV: Final = Limits(0.126, 0.197)
#: The highest scores: |ln| of how many times as many events score as high as `TOP_SHARE` of the reference. Twice (or
#: half) as many alerts is what people notice; four times is beyond the usual change of a week. No source: our choice.
TOP: Final = Limits(math.log(2), math.log(4))
#: Precision: five and ten percentage points fewer confirmed. No source: our choice.
PRECISION: Final = Limits(0.05, 0.10)
#: A fall of the precision counts when so few violations had at most this chance without one: with 100 rules and models
#: that are looked at once a week, one false sign in ten weeks at most.
PRECISION_CHANCE: Final = 1e-3
#: Words that a model does not know, as a share of all words: that much more than in the reference. Our choice.
UNKNOWN_WORDS: Final = Limits(0.05, 0.10)

#: The share of events with the highest scores that is watched by itself: population stability in tenths does not see
#: what happens there, and it is there that alerts are raised.
TOP_SHARE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Measured:
    """A distance and what to make of it; `usual` is how far parts of the reference lie from one another."""

    distance: Distance
    limits: Limits
    usual: float | None = None

    @property
    def level(self) -> Level:
        """Watch or drifted only for what neither chance nor the usual differences explain."""
        value = self.distance.value
        if self.distance.is_chance or (self.usual is not None and value <= self.usual):
            return Level.STEADY
        if value >= self.limits.drifted:
            return Level.DRIFTED
        return Level.WATCH if value >= self.limits.watch else Level.STEADY


def usual(distances: Sequence[float | None]) -> float | None:
    """How far parts of the reference may lie from the others: `MARGIN` times the second largest of their distances.

    `distances` of the parts, the newest first, None for one with too few events. The second largest, so that a single
    odd day does not hide everything for weeks, while a weekend, which has two days, counts. None where it is not known.
    """
    known = sorted(value for value in distances[round(len(distances) * NEWEST) :] if value is not None)
    return MARGIN * known[-2] if len(known) >= LEAST_PARTS else None


def worst(levels: Iterable[Level]) -> Level:
    """The highest; `TOO_FEW` of none."""
    return max(levels, default=Level.TOO_FEW)
