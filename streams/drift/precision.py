"""Whether moderators confirm fewer alerts than before: two shares of violations compared exactly (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.drift.levels import PRECISION, PRECISION_CHANCE, Level
from streams.drift.measures import log_choose
from streams.review.quality import Source, Tally

#: Alerts of so many days stand against those before: moderators judge some hundred a day, and a week has every weekday.
RECENT_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class PrecisionDrift:
    """The share of a source's alerts that moderators confirmed, then and now.

    `chance`: how likely as few violations would be if nothing had changed; None where it was not asked for, because the
    share did not fall by what would be looked at. It takes milliseconds, so `comparison` works it out once.
    """

    source: Source
    reference: Tally
    current: Tally
    chance: float | None = None

    @property
    def fall(self) -> float | None:
        """How much lower the precision is now; None where one period has no verdict."""
        if not (self.reference.judged and self.current.judged):
            return None
        return _fall(self.reference, self.current)

    @property
    def level(self) -> Level:
        """A fall that is large enough and not to be explained by chance."""
        if self.fall is None:
            return Level.TOO_FEW
        if self.chance is None or self.chance > PRECISION_CHANCE:
            return Level.STEADY
        return Level.DRIFTED if self.fall >= PRECISION.drifted else Level.WATCH


def comparison(source: Source, reference: Tally, current: Tally) -> PrecisionDrift:
    """Compare two periods of one source, with the chance where the precision fell by what would be looked at."""
    both = reference.judged and current.judged
    telling = both and _fall(reference, current) >= PRECISION.watch
    return PrecisionDrift(
        source, reference, current, chance_of_fewer(reference, current) if telling else None
    )


def precision_drift(days: Mapping[int, Mapping[Source, Tally]], *, today: int) -> tuple[PrecisionDrift, ...]:
    """Compare the last `RECENT_DAYS` UTC days, today included, with those before, for each source but the patrol.

    `days`: tallies by UTC day, counted from 1970.
    """
    sums: dict[Source, list[Tally]] = {}
    for day, tallies in days.items():
        if day > today:
            continue
        for source, tally in tallies.items():
            pair = sums.setdefault(source, [Tally(), Tally()])
            pair[day > today - RECENT_DAYS] += tally
    return tuple(
        comparison(source, before, now)
        for source, (before, now) in sorted(sums.items())
        if source.kind != "patrol"
    )


def _fall(reference: Tally, current: Tally) -> float:
    return reference.violation / reference.judged - current.violation / current.judged


def chance_of_fewer(reference: Tally, current: Tally) -> float:
    """How likely so few violations in the current period would be if the precision had not changed.

    The lower tail of Fisher's exact test (Fisher 1935): with the violations of both periods given, those of the
    current one are hypergeometric. Exact for few verdicts, where the normal approximation errs.
    """
    violations = reference.violation + current.violation
    judged = reference.judged + current.judged
    least = max(0, current.judged - (judged - violations))
    whole = log_choose(judged, current.judged)
    terms = (
        math.exp(
            log_choose(violations, found) + log_choose(judged - violations, current.judged - found) - whole
        )
        for found in range(least, current.violation + 1)
    )
    return min(1.0, math.fsum(terms))
