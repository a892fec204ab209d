"""How good a model's ranking is on a set of rows, every figure with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.evaluation.intervals import Counts, Estimate, Floats, Resampling, estimate, share_estimate
from models.evaluation.ranking import Ranking

#: Points of the precision@K curve; evenly spaced on a logarithmic axis, which is how it is drawn.
_CURVE_POINTS = 60


@dataclass(frozen=True, slots=True)
class Alerting:
    """What alerting from a threshold on would have given."""

    threshold: float
    alerts: int
    found: int
    precision: Estimate
    recall: Estimate


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one set of rows. `precision_at` maps K, `curve` holds (K, precision) up to the rows there are."""

    examples: int
    positives: int
    auroc: Estimate
    average_precision: Estimate
    precision_at: Mapping[int, Estimate]
    curve: tuple[tuple[int, Estimate], ...]
    at_threshold: Alerting | None

    @property
    def prevalence(self) -> float:
        """The share of positives, and what a model that knows nothing would have as average precision."""
        return self.positives / self.examples


def quality(
    scores: Floats, resampling: Resampling, *, ks: Sequence[int], threshold: float | None, curve_to: int
) -> Quality:
    """Of scores [N] of the rows that `resampling` draws from. K beyond the rows are left out.

    Raises ValueError unless both classes occur.
    """
    truth = resampling.truth
    ranking = Ranking.of(truth, scores)
    kept = [k for k in ks if k <= len(truth)]
    along = curve_points(min(curve_to, len(truth)))
    alerted = 0 if threshold is None else int((scores >= threshold).sum())

    def figures(counts: Counts) -> Floats:
        summed = ranking.summed(counts)
        alerts, found = summed.at(alerted)
        return np.concatenate([
            [summed.auroc(), summed.average_precision()],
            [found / alerts if alerts else np.nan, found / summed.positives],
            summed.precision_at([*kept, *along]),
        ])  # fmt: skip

    whole, resampled = figures(resampling.whole()), resampling.figures(figures)
    # How many rows each figure is a share of; AUROC and average precision are of no such kind.
    shares = [0, 0, alerted, int(truth.sum()), *kept, *along]
    auroc, precision, alert_precision, alert_recall, *at = (
        share_estimate(value, resampled[:, place], of) if of else estimate(value, resampled[:, place])
        for place, (value, of) in enumerate(zip(whole, shares, strict=True))
    )
    return Quality(
        examples=len(truth),
        positives=int(truth.sum()),
        auroc=auroc,
        average_precision=precision,
        precision_at=dict(zip(kept, at, strict=False)),
        curve=tuple(zip(along, at[len(kept) :], strict=True)),
        at_threshold=None
        if threshold is None
        else Alerting(
            threshold, alerted, int(truth[scores >= threshold].sum()), alert_precision, alert_recall
        ),
    )


def curve_points(last: int) -> list[int]:
    """Ascending Ks from 1 to `last`, dense where K is small."""
    spaced: npt.NDArray[np.float64] = np.geomspace(1, last, _CURVE_POINTS)
    return sorted({round(float(k)) for k in spaced})
