"""Quality of a ranking under row weights, so that a bootstrap resample costs two running sums and no sorting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def descending(scores: Floats) -> npt.NDArray[np.int64]:
    """Indices from the highest score down; equal scores are shuffled, always the same way for the same number of rows.

    Files often hold all violations first. Were ties left in the data's order, a model that gives every row the same
    score would have a precision@K of 1 there.
    """
    chance = np.random.default_rng(0).permutation(len(scores))
    order: npt.NDArray[np.int64] = np.lexsort((chance, -scores))
    return order


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows from the highest score down, in the order of `descending`.

    `counts` of the methods say how often each row (in the data's order) occurs in a resample, int64 [N]; all ones is
    the data itself. With them the figures are those of the resample written out row by row.
    """

    order: npt.NDArray[np.int64]
    truth: npt.NDArray[np.int64]
    scores: Floats
    #: Where a run of equal scores ends, int64: a threshold takes all of a run or none.
    run_ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, truth: npt.NDArray[np.float32], scores: Floats) -> Ranking:
        """Of truth [N] of 0 and 1 and scores [N]. Raises ValueError unless both classes occur."""
        positives = int(truth.sum())
        if not 0 < positives < len(truth):
            raise ValueError(f"{positives} of {len(truth)} examples are positive: quality needs both classes")
        order = descending(scores)
        ranked = scores[order]
        run_ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(order, truth[order].astype(np.int64), ranked, run_ends)

    def summed(self, counts: Counts) -> Summed:
        """Alerts and positives found down to each row."""
        weights = counts[self.order]
        return Summed(np.cumsum(weights), np.cumsum(weights * self.truth), self.truth, self.run_ends)


@dataclass(frozen=True, slots=True)
class Summed:
    """Running sums down a ranking: `alerts` and `found` positives, int64 [N]."""

    alerts: Counts
    found: Counts
    truth: npt.NDArray[np.int64]
    run_ends: npt.NDArray[np.int64]

    @property
    def positives(self) -> int:
        """All positives."""
        return int(self.found[-1])

    def average_precision(self) -> float:
        """Precision at each threshold, weighted by the recall it adds (scikit-learn's definition)."""
        alerts, found = self.alerts[self.run_ends], self.found[self.run_ends]
        gained = np.diff(found, prepend=0)
        some = gained > 0
        return float((gained[some] * (found[some] / alerts[some])).sum() / self.positives)

    def auroc(self) -> float:
        """Area under the ROC curve: the chance that a positive scores above a negative, equal scores counting half."""
        found = self.found[self.run_ends]
        false = self.alerts[self.run_ends] - found
        before = np.concatenate([[0], found[:-1]])
        area = (np.diff(false, prepend=0) * (found + before)).sum() / 2
        return float(area / (self.positives * false[-1]))

    def precision_at(self, ks: Sequence[int]) -> Floats:
        """Share of positives among the K highest, float64 [len(ks)]; NaN where there are fewer than K rows."""
        wanted = np.asarray(ks, np.int64)
        there = wanted <= self.alerts[-1]
        row = np.searchsorted(self.alerts, np.minimum(wanted, self.alerts[-1]))
        # A row that occurs several times may straddle the K-th place: what is too much of it is taken off again.
        found = self.found[row] - (self.alerts[row] - wanted) * self.truth[row]
        return np.where(there, found / wanted, np.nan)

    def at(self, rows: int) -> tuple[int, int]:
        """Alerts and positives found among the first `rows` rows of the ranking."""
        return (int(self.alerts[rows - 1]), int(self.found[rows - 1])) if rows else (0, 0)

    def needed_for(self, positives: int) -> float:
        """Alerts that must be read from the top to find so many positives; NaN where there are not so many."""
        if positives > self.positives:
            return float("nan")
        if positives == 0:
            return 0.0
        row = int(np.searchsorted(self.found, positives))
        return float(self.alerts[row] - (self.found[row] - positives))

    def found_within(self, budget: int) -> int:
        """Positives among the `budget` highest; all of them where there are fewer rows."""
        if budget == 0:
            return 0
        if budget >= self.alerts[-1]:
            return self.positives
        row = int(np.searchsorted(self.alerts, budget))
        return int(self.found[row] - (self.alerts[row] - budget) * self.truth[row])
