"""How far two histograms lie apart, and how far they would by chance alone (pure).

Both measures work on counts, because counts of many workers add up and samples do not; that is also why no library is
used: scipy, evidently, river, frouros and alibi-detect take the single values (docs/drift.md).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Events by the number of their bin.
Histogram = Mapping[int, float]

#: The chance that two samples of the same traffic lie farther apart than `by_chance` says. Some 50 comparisons a day
#: (20 models and domains, 15 facts, doubled for what is to come) then give one false sign in 200 days.
CHANCE: Final = 1e-4
#: The normal deviate that is exceeded with that chance.
_DEVIATE: Final = 3.719016
#: A group is compared by itself from so many events on, the others together: below that, chi-square does not describe
#: its chance (Cochran 1954).
LEAST_IN_GROUP: Final = 5.0
#: The two-sided normal deviate of the same chance.
_DEVIATE_OF_TWO: Final = 3.890592
#: From so many expected events on both sides on, a binomial distribution is taken for normal: its limits then err by
#: less than a twentieth of their width.
EXACT_BELOW: Final = 1000
#: No share counts as less, or what is new would weigh the more the longer the reference is: at 28,000 events 3.3 % that
#: were never seen before would be drift, at 28 million 1.8 %. So it is 4.1 %, and 1.9 % to watch.
LEAST_SHARE: Final = 1e-4
#: Groups of equal size that a score's distribution is cut into, after the reference (Siddiqi 2006).
GROUPS: Final = 10


@dataclass(frozen=True, slots=True)
class Distance:
    """A measure of two histograms, and what it exceeds with the chance of `CHANCE` when nothing has changed."""

    value: float
    by_chance: float

    @property
    def is_chance(self) -> bool:
        """It may well be nothing."""
        return self.value <= self.by_chance


def stability(reference: Histogram, current: Histogram) -> Distance:
    """The population stability index of two histograms over the same bins, sum of (q - p) ln(q / p).

    0 for equal shares; the sum of the two Kullback-Leibler divergences. When nothing has changed it is distributed
    as (1/n + 1/m) times chi-square with as many degrees of freedom as there are groups but one (Yurdakul 2018). Rare
    bins count as one. A group that one side lacks is taken for half an event, and for no less than `LEAST_SHARE`, so that
    the index stays finite. Raises `ValueError` where one side has no event.
    """
    n, m = math.fsum(reference.values()), math.fsum(current.values())
    if n <= 0 or m <= 0:
        raise ValueError("a distribution without events cannot be compared")
    groups = _without_rare(reference, current, n, m)
    half = 0.5 * len(groups)
    shares = [
        (max((before + 0.5) / (n + half), LEAST_SHARE), max((now + 0.5) / (m + half), LEAST_SHARE))
        for before, now in groups
    ]
    value = math.fsum((q - p) * math.log(q / p) for p, q in shares)
    return Distance(value, (1 / n + 1 / m) * chi_square_quantile(len(groups) - 1))


def kolmogorov_smirnov(reference: Histogram, current: Histogram) -> Distance:
    """The largest difference of the two cumulative shares over ordered bins.

    What chance alone exceeds: sqrt(-ln(CHANCE / 2) / 2) sqrt(1/n + 1/m) (Smirnov 1948); in bins it is less, so the
    limit is on the safe side. Raises `ValueError` where one side has no event.
    """
    n, m = math.fsum(reference.values()), math.fsum(current.values())
    if n <= 0 or m <= 0:
        raise ValueError("a distribution without events cannot be compared")
    below = farthest = 0.0
    for place in sorted(reference.keys() | current.keys()):
        below += current.get(place, 0.0) / m - reference.get(place, 0.0) / n
        farthest = max(farthest, abs(below))
    return Distance(farthest, math.sqrt(-math.log(CHANCE / 2) / 2 * (1 / n + 1 / m)))


def times_as_many(reference: Histogram, current: Histogram) -> Distance:
    """|ln| of how many times as large the share of group 1 is, of the groups 0 and 1; half an event more on each side.

    What chance exceeds is exact: of the events of group 1 in both periods each is of the current one with the chance
    m / (n + m), so their number is binomial (Przyborowski and Wilenski 1940). An expected five, none of which comes,
    are chance; the logarithm's normal distribution would deny it.
    """
    n, m = math.fsum(reference.values()), math.fsum(current.values())
    a, b = reference.get(1, 0.0), current.get(1, 0.0)

    def logarithm(now: float) -> float:
        return math.log((now + 0.5) / m / ((a + b - now + 0.5) / n))

    value = logarithm(b)
    least, most = _binomial_range(round(a + b), m / (n + m), CHANCE / 2)
    return Distance(abs(value), abs(logarithm(most if value > 0 else least)))


def cuts_of(reference: Histogram, groups: int = GROUPS) -> list[int]:
    """The lower edges of ordered groups that hold about as many events of the reference each; the lowest has no edge.

    A bin is not divided: where many events share one, there are fewer groups.
    """
    total = math.fsum(reference.values())
    cuts: list[int] = []
    below, wanted = 0.0, 1
    for place in sorted(place for place, count in reference.items() if count > 0):
        if wanted < groups and below >= total * wanted / groups:
            cuts.append(place)
            wanted = math.floor(below * groups / total) + 1
        below += reference[place]
    return cuts


def grouped(histogram: Histogram, cuts: Sequence[int]) -> dict[int, float]:
    """Events by the number of their group, 0 below the first of the ascending cuts."""
    groups: dict[int, float] = {}
    for place, count in histogram.items():
        group = bisect_right(cuts, place)
        groups[group] = groups.get(group, 0.0) + count
    return groups


def top_of(reference: Histogram, share: float) -> int:
    """The lower edge of the highest bins that together hold at least this share of the events."""
    wanted = share * math.fsum(reference.values())
    above = 0.0
    places = sorted(reference, reverse=True)
    for place in places:
        above += reference[place]
        if above >= wanted:
            return place
    return places[-1]


def chi_square_quantile(degrees: int) -> float:
    """What chi-square exceeds with the chance of `CHANCE` (Wilson and Hilferty 1931); 7 % too high at one
    degree, 2 % at six."""
    if degrees <= 0:
        return 0.0
    part = 2 / (9 * degrees)
    return degrees * float(1 - part + _DEVIATE * math.sqrt(part)) ** 3


def _binomial_range(number: int, share: float, chance: float) -> tuple[int, int]:
    """The least and the most of so many events that are not rarer than `chance`, each tail by itself.

    Where more than `EXACT_BELOW` are expected on both sides the normal distribution's.
    """
    expected, others = number * share, number * (1 - share)
    if min(expected, others) > EXACT_BELOW:
        width = _DEVIATE_OF_TWO * math.sqrt(expected * (1 - share))
        return math.floor(expected - width), math.ceil(expected + width)
    return _end_of_tail(number, share, chance), number - _end_of_tail(number, 1 - share, chance)


def _end_of_tail(number: int, share: float, chance: float) -> int:
    """The least count at which the lower tail of a binomial distribution is above `chance`."""
    expected = number * share
    tail = 0.0
    # Ten deviations below what is expected there is nothing that would add up to anything.
    for count in range(max(0, math.floor(expected - 10 * math.sqrt(expected * (1 - share)))), number + 1):
        tail += math.exp(
            log_choose(number, count) + count * math.log(share) + (number - count) * math.log1p(-share)
        )
        if tail > chance:
            return count
    return number


def log_choose(n: int, k: int) -> float:
    """The natural logarithm of the number of ways to choose k of n."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _without_rare(reference: Histogram, current: Histogram, n: float, m: float) -> list[tuple[float, float]]:
    """Pairs of (before, now), the rare bins added up; a bin that is new counts by what there is of it now."""
    smaller = min(n, m) / (n + m)
    kept: list[tuple[float, float]] = []
    rare: list[tuple[float, float]] = []
    for place in {**reference, **current}:
        pair = (reference.get(place, 0.0), current.get(place, 0.0))
        if not any(pair):
            continue
        enough = sum(pair) * smaller >= LEAST_IN_GROUP or pair[1] >= LEAST_IN_GROUP
        (kept if enough else rare).append(pair)
    if rare:
        kept.append((math.fsum(before for before, _ in rare), math.fsum(now for _, now in rare)))
    return kept
