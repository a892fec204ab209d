"""Bins of scores on the logit scale: histograms that add up exactly, and the score that so many events reach (pure).

Why fixed bins and not a quantile sketch: a sum of counts is the same in whatever order it is taken, so every worker
comes to the same threshold from the same records, and counts of hours can be added and left out again. KLL and REQ
sketches choose at random what they keep when they are merged, and none of them can forget an hour. What fixed bins
lose is resolution, and that is known beforehand.

Width: the tail of a score's distribution over the logit x falls about as exp(-a x). With normally distributed logits of
deviation s the rate a is z / s at the z-th deviation: 500 alerts of 10 million events are z = 3.9, so a = 3.9 for s = 1.
A bin of 1/32 then holds 1 - exp(-3.9 / 32) = 11 % of the events above its lower edge. Within it a threshold is
interpolated as if the bin were evenly filled, which errs by at most a w (a w) / 8 of that, 0.2 %. Scores that many
events share exactly cannot be told apart by any threshold.

Range: float32 knows no score between 1 - 2^-24 (logit 16.6) and 1, and 10 million events a day have nothing to decide
below logit -16 (score 1e-7). So 1,024 bins from -16 to 16; what lies outside counts in the outermost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

#: Bins in one unit of the logit.
BINS_PER_LOGIT: Final = 32
#: The outermost bins, by number: bin i holds scores whose logit is in [i / 32, (i + 1) / 32).
LOWEST_BIN: Final = -16 * BINS_PER_LOGIT
HIGHEST_BIN: Final = 16 * BINS_PER_LOGIT - 1

#: Events by bin; bins without any are left out. Whole numbers where counted, fractions where hours count in part.
Histogram = Mapping[int, float]


def bin_of(score: float) -> int:
    """The bin of a score of 0 to 1; anything beyond counts as 0 or 1."""
    if score <= 0.0:
        return LOWEST_BIN
    if score >= 1.0:
        return HIGHEST_BIN
    place = math.floor(math.log(score / (1.0 - score)) * BINS_PER_LOGIT)
    return min(max(place, LOWEST_BIN), HIGHEST_BIN)


def logit(score: float) -> float:
    """ln(score / (1 - score)), within the range of the bins."""
    least, most = LOWEST_BIN / BINS_PER_LOGIT, (HIGHEST_BIN + 1) / BINS_PER_LOGIT
    if score <= 0.0:
        return least
    if score >= 1.0:
        return most
    return min(max(math.log(score / (1.0 - score)), least), most)


def score_at(place: float) -> float:
    """The score at a place on the scale of the bins: `score_at(i)` is the lower edge of bin i."""
    return 1.0 / (1.0 + math.exp(-place / BINS_PER_LOGIT))


def added(histograms: Iterable[tuple[Mapping[int, float], float]]) -> dict[int, float]:
    """The sum of histograms, each times its weight."""
    total: dict[int, float] = {}
    for histogram, weight in histograms:
        for place, count in histogram.items():
            total[place] = total.get(place, 0.0) + weight * count
    return total


def events_in(histogram: Histogram) -> float:
    """All events of a histogram."""
    return math.fsum(histogram.values())


def events_from(histogram: Histogram, threshold: float) -> float:
    """About how many events have a score of `threshold` or more: a bin that it divides counts in proportion."""
    place = logit(threshold) * BINS_PER_LOGIT
    return math.fsum(count * min(1.0, max(0.0, edge + 1 - place)) for edge, count in histogram.items())


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold, and how many events of the histogram reach it."""

    threshold: float
    events: float


def cut_for(histogram: Histogram, wanted: float) -> Cut:
    """The least threshold that about `wanted` events reach, and no more; interpolated within a bin.

    Of a histogram with fewer events it is the lower edge of the lowest bin that holds any, and 1 of an empty one.
    """
    above = 0.0
    edge: int | None = None
    for edge in sorted(histogram, reverse=True):
        count = histogram[edge]
        if count > 0 and above + count >= wanted:
            part = max(0.0, wanted - above) / count
            return Cut(score_at(edge + 1 - part), above + part * count)
        above += count
    return Cut(1.0 if edge is None else score_at(edge), above)
