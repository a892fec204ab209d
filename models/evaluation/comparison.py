"""A challenger against the champion on the same rows: a paired bootstrap, and "not worse" as a test.

Non-inferiority as in clinical trials (Blackwelder 1982): the null hypothesis is that the challenger is worse by the
margin or more, and it is rejected where the one-sided 95 % bound of the difference lies above minus the margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from models.evaluation.intervals import Counts, Estimate, Floats, Resampling, estimate
from models.evaluation.ranking import Ranking

Verdict = Literal["better", "not worse", "worse", "cannot tell"]
#: Average precision between 0 and 1; the shipped models differ by as much from one seed to the next.
MARGIN: Final = 0.01
#: One-sided level of every verdict.
_ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """Challenger less champion in one measure.

    `lower` and `upper` are the one-sided 95 % bounds that the verdict rests on, `difference` has the two-sided
    interval for reading. `beyond_margin` is the share of resamples in which the challenger is worse by the margin or
    more: the test's p-value. `varies` is False where every resample gives the same difference although the two rank
    differently (all of the first K right in both): a bootstrap cannot tell anything then.
    """

    measure: str
    champion: float
    challenger: float
    difference: Estimate
    lower: float
    upper: float
    margin: float
    beyond_margin: float
    varies: bool = True

    @property
    def verdict(self) -> Verdict:
        """What the bounds allow to say."""
        return verdict(self.lower, self.upper, self.margin) if self.varies else "cannot tell"


def verdict(lower: float, upper: float, margin: float) -> Verdict:
    """Better: surely above 0. Not worse: surely above minus the margin. Worse: surely below 0, and not surely within
    the margin. Else nobody can tell from these rows. "Surely" is the one-sided 95 % bound, `lower` or `upper`.
    """
    if lower > 0:
        return "better"
    if lower > -margin:
        return "not worse"
    return "worse" if upper < 0 else "cannot tell"


def compare(
    challenger: Floats, champion: Floats, resampling: Resampling, *, margin: float, ks: Sequence[int]
) -> tuple[Difference, ...]:
    """Differences in average precision and in precision@K, scores [N] of both on the rows of `resampling`.

    Every resample is judged by both, so that what makes rows easy or hard for both cancels out. K beyond the rows are
    left out. Raises ValueError for a negative margin, and unless both classes occur.
    """
    if margin < 0:
        raise ValueError(f"the margin is how much worse is still not worse: at least 0, not {margin:g}")
    rankings = [Ranking.of(resampling.truth, scores) for scores in (challenger, champion)]
    kept = [k for k in ks if k <= len(resampling.truth)]

    def figures(counts: Counts) -> Floats:
        sums = [ranking.summed(counts) for ranking in rankings]
        return np.concatenate([
            np.concatenate([[summed.average_precision()], summed.precision_at(kept)]) for summed in sums
        ])  # fmt: skip

    whole, resampled = figures(resampling.whole()), resampling.figures(figures)
    same = bool((rankings[0].order == rankings[1].order).all())
    names = ["average precision", *(f"precision@{k}" for k in kept)]
    return tuple(
        _difference(
            name,
            whole[[place, place + len(names)]],
            resampled[:, [place, place + len(names)]],
            margin,
            same=same,
        )
        for place, name in enumerate(names)
    )


def _difference(name: str, whole: Floats, resampled: Floats, margin: float, *, same: bool) -> Difference:
    differences = resampled[:, 0] - resampled[:, 1]
    lower, upper = np.nanquantile(differences, [_ALPHA, 1 - _ALPHA])
    return Difference(
        measure=name,
        champion=float(whole[1]),
        challenger=float(whole[0]),
        difference=estimate(float(whole[0] - whole[1]), differences),
        lower=float(lower),
        upper=float(upper),
        margin=margin,
        # Never 0: of so many resamples none is less than one in so many (Davison and Hinkley 1997, 4.4).
        beyond_margin=float((1 + np.sum(differences <= -margin)) / (1 + len(differences))),
        varies=same or bool(np.ptp(differences) > 0),
    )
