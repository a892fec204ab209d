"""Drift: the mix of a marketplace as it moves with the date, by a schedule that is written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from marketplace.conversations import Mix
from marketplace.grammar import Fashion
from marketplace.lexicon import MOVING_SLOTS
from marketplace.listings import ListingMix

_AnyMix = TypeVar("_AnyMix", bound=Mix | ListingMix)


@dataclass(frozen=True, slots=True)
class Drift:
    """Everything moves evenly from `start` until `end` and stands still before and after.

    With p going from 0 to 1 in that time:

    - violations: the mix's share times 1 + p · (`growth` - 1);
    - phrasing and words: the newer half of the templates of each large family, of the words of
      `lexicon.MOVING_SLOTS` and of the prohibited goods is chosen with a probability of 1/2 + `turnover` · (p - 1/2).
      A turnover of 1 begins with the older half alone and ends with the newer half alone; 0 moves nothing.

    Near misses keep their share, so that what looks like a violation means one more or less often.
    """

    start: datetime
    end: datetime
    turnover: float = 0.0
    growth: float = 1.0

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end need a time zone, e.g. datetime(2026, 1, 1, tzinfo=UTC)")
        if self.end <= self.start:
            raise ValueError(f"drift ends at {self.end}, which is not after its start {self.start}")
        if not 0 <= self.turnover <= 1:
            raise ValueError(f"turnover is {self.turnover}, not within 0..1")
        if self.growth < 0:
            raise ValueError(f"growth is {self.growth}; violations cannot become fewer than none")

    def progress(self, at: datetime) -> float:
        """p at that time, 0 to 1."""
        return min(1.0, max(0.0, (at - self.start) / (self.end - self.start)))

    def newer_share(self, at: datetime) -> float:
        """The probability of the newer half at that time."""
        return 0.5 + self.turnover * (self.progress(at) - 0.5)

    def mix(self, mix: _AnyMix, at: datetime) -> _AnyMix:
        """The mix as it is at that time. Raises ValueError where its shares then exceed 1."""
        violations = mix.violation_share * (1 + self.progress(at) * (self.growth - 1))
        fashion = Fashion(self.newer_share(at), MOVING_SLOTS) if self.turnover else mix.fashion
        return replace(mix, violation_share=violations, fashion=fashion)


def lasting(start: datetime, days: float, *, turnover: float = 0.0, growth: float = 1.0) -> Drift:
    """A drift that takes so many days."""
    return Drift(start, start + timedelta(days=days), turnover, growth)
