"""Percentile bootstrap: how far a figure could lie elsewhere on other data of the same kind (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from streams.review.shares import wilson

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

#: With 1,000 resamples an end of a 95 % interval is the 25th value from outside: steady to about a tenth of its width.
RESAMPLES: Final = 1000
LEVEL: Final = 0.95


def _ignore(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure on the data and its two-sided 95 % interval; all None where it is not defined (no alert at all)."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Resampling:
    """How rows are drawn: with replacement, within strata by class, whole groups at a time.

    `truth` float32 [N] of 0 and 1; `groups` int64 [N] names what belongs together (windows of one conversation are
    no independent witnesses). A group with a positive is of the positive stratum. With groups of one row each class
    keeps its size, and so does the prevalence.
    """

    truth: npt.NDArray[np.float32]
    groups: npt.NDArray[np.int64]
    resamples: int = RESAMPLES
    seed: int = 1
    #: Told of every resample that is done, for a progress bar.
    advance: Callable[[int], None] = field(default=_ignore, compare=False)

    @property
    def group_count(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.groups))

    def draws(self) -> Iterator[Counts]:
        """For each resample how often each row occurs, int64 [N]. The same arguments draw the same."""
        _, group = np.unique(self.groups, return_inverse=True)
        positive = np.bincount(group, weights=self.truth) > 0
        strata = [np.flatnonzero(positive), np.flatnonzero(~positive)]
        order = np.random.default_rng(self.seed)
        for _ in range(self.resamples):
            of_group = np.zeros(len(positive), np.int64)
            for stratum in strata:
                if len(stratum):
                    drawn = order.integers(0, len(stratum), len(stratum))
                    of_group[stratum] = np.bincount(drawn, minlength=len(stratum))
            yield of_group[group]

    def figures(self, statistic: Callable[[Counts], Floats]) -> Floats:
        """`statistic` (counts int64 [N] to float64 [M]) of every resample, float64 [resamples, M]."""
        found: list[Floats] = []
        for counts in self.draws():
            found.append(statistic(counts))
            self.advance(1)
        return np.stack(found)

    def whole(self) -> Counts:
        """The data itself: every row once."""
        return np.ones(len(self.truth), np.int64)


def percentile_interval(figures: Floats, level: float = LEVEL) -> tuple[float, float] | None:
    """The middle `level` of resampled figures [R]; None where more than one in twenty of them is not defined."""
    defined = figures[~np.isnan(figures)]
    if len(defined) < 0.95 * len(figures) or not len(defined):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def estimate(value: float, figures: Floats) -> Estimate:
    """A figure with the interval of its resampled values [R]."""
    if np.isnan(value):
        return Estimate(None)
    found = percentile_interval(figures)
    return Estimate(float(value)) if found is None else Estimate(float(value), *found)


def share_estimate(value: float, figures: Floats, of: int) -> Estimate:
    """A share of `of` rows. Where all or none of them count in every resample, resampling has nothing to vary and
    would promise certainty: there Wilson's interval stands instead.
    """
    found = estimate(value, figures)
    if found.value in {0.0, 1.0} and found.low == found.high:
        return Estimate(found.value, *wilson(round(value * of), of))
    return found
