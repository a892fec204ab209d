"""Whether scores can be read as probabilities: reliability by score and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.evaluation.intervals import Estimate
from streams.review.shares import wilson

#: Tenths, as in Guo et al. 2017, "On Calibration of Modern Neural Networks".
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose score lies in [low, high): how many, their mean score, and the share that are violations."""

    low: float
    high: float
    examples: int
    mean_score: float
    violations: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """`expected_error` is the mean distance of score and share over all rows, by bin; `brier` the mean squared one.

    `of_alerts` is the expected error among rows at or above 0.5 alone: where violations are rare nearly all rows have
    a score near 0, and their agreement would hide everything else. None without such a row.
    """

    expected_error: float
    of_alerts: float | None
    brier: float
    bins: tuple[Bin, ...]


def calibration(
    truth: npt.NDArray[np.float32], scores: npt.NDArray[np.float64], bins: int = BINS
) -> Calibration:
    """Of truth [N] of 0 and 1 and scores [N] within 0..1, in bins of equal width; empty ones are left out."""
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    found = tuple(
        _bin(number / bins, (number + 1) / bins, truth[place == number], scores[place == number])
        for number in range(bins)
        if (place == number).any()
    )
    return Calibration(
        expected_error=_error(found),
        of_alerts=_error(high) if (high := [one for one in found if one.low >= 0.5]) else None,
        brier=float(np.mean((scores - truth) ** 2)),
        bins=found,
    )


def _bin(low: float, high: float, truth: npt.NDArray[np.float32], scores: npt.NDArray[np.float64]) -> Bin:
    positives = int(truth.sum())
    share = Estimate(positives / len(truth), *wilson(positives, len(truth)))
    return Bin(low, high, len(truth), float(scores.mean()), share)


def _error(bins: tuple[Bin, ...] | list[Bin]) -> float:
    rows = sum(one.examples for one in bins)
    return sum(one.examples * abs(one.mean_score - (one.violations.value or 0.0)) for one in bins) / rows
