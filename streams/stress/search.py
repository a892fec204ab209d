"""Finds the highest rate that a deployment keeps up with: doubling until it fails, then halving the gap (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: The answer is known to a fifteenth: two runs of one machine differ by more.
PRECISION: Final = 1 / 15
#: From 100/s that is 6.5 million events/s; a search that gets there measures something else.
MOST_TRIALS: Final = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """A run at a rate, and whether it kept its goals."""

    rate: float
    held: bool


def next_rate(trials: Sequence[Trial], first: float) -> float | None:
    """The rate to try next, None when the search is over. `first` is the rate to begin with, above 0."""
    if not trials:
        return first
    if len(trials) >= MOST_TRIALS:
        return None
    best, failed = highest_held(trials), lowest_failed(trials)
    if failed is None:
        return best * 2
    if not best:
        return failed / 2
    return (best + failed) / 2 if failed - best > PRECISION * best else None


def highest_held(trials: Sequence[Trial]) -> float:
    """The highest rate that was kept up with, 0 if none was. A rate above one that failed does not count: luck."""
    failed = lowest_failed(trials)
    return max((t.rate for t in trials if t.held and (failed is None or t.rate < failed)), default=0.0)


def lowest_failed(trials: Sequence[Trial]) -> float | None:
    """The lowest rate that was too much; None while none was."""
    return min((t.rate for t in trials if not t.held), default=None)
