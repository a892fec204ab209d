"""The bootstrap draws what it says and its intervals hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from models.evaluation.intervals import (
    Estimate,
    Resampling,
    estimate,
    percentile_interval,
    share_estimate,
)
from models.evaluation.ranking import Ranking


def each_alone(truth: np.ndarray, resamples: int = 200, seed: int = 1) -> Resampling:
    return Resampling(truth, np.arange(len(truth)), resamples, seed)


def test_classes_keep_their_size_and_rows_vary() -> None:
    truth = np.array([1] * 7 + [0] * 30, np.float32)
    draws = list(each_alone(truth, 50).draws())
    assert all((counts[:7].sum(), counts[7:].sum()) == (7, 30) for counts in draws)
    assert len({counts.tobytes() for counts in draws}) == 50


def test_groups_are_drawn_whole_and_within_their_stratum() -> None:
    truth = np.array([1, 0, 0, 0, 0, 1], np.float32)
    groups = np.array([7, 7, 3, 3, 3, 9])  # two groups with a positive, one without
    for counts in Resampling(truth, groups, 30).draws():
        assert counts[0] == counts[1]
        assert counts[2] == counts[3] == counts[4] == 1
        assert counts[0] + counts[5] == 2


def test_the_seed_decides() -> None:
    truth = np.array([1, 0] * 20, np.float32)
    first, again, other = (np.stack(list(each_alone(truth, 5, seed).draws())) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_percentiles_of_known_figures() -> None:
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))
    assert percentile_interval(np.arange(1001.0), 0.9) == pytest.approx((50.0, 950.0))


def test_figures_that_are_seldom_defined_have_no_interval() -> None:
    figures = np.concatenate([np.full(94, 0.5), np.full(6, np.nan)])
    assert percentile_interval(figures) is None
    assert estimate(0.5, figures) == Estimate(0.5)
    assert estimate(float("nan"), figures) == Estimate(None)
    assert percentile_interval(np.concatenate([np.full(97, 0.5), np.full(3, np.nan)])) == (0.5, 0.5)


def test_certainty_that_only_comes_from_resampling_is_not_promised() -> None:
    sure = share_estimate(1.0, np.ones(100), 50)
    assert (sure.value, sure.high) == (1.0, pytest.approx(1.0))
    assert sure.low == pytest.approx(0.9287, abs=1e-4)  # Wilson, 50 of 50
    varying = np.linspace(0.9, 1.0, 101)
    assert share_estimate(1.0, varying, 50) == estimate(1.0, varying)


def test_intervals_of_auroc_hold_the_true_value_as_often_as_they_say() -> None:
    """Normal scores one deviation apart have AUROC Φ(1/√2) = 0.760. 200 samples; the share that is held lies within
    four standard errors (6 %) of 95 %.
    """
    true = float(norm.cdf(1 / np.sqrt(2)))
    order = np.random.default_rng(5)
    truth = np.array([1] * 60 + [0] * 120, np.float32)
    held = 0
    for sample in range(200):
        scores = order.normal(truth, 1.0).astype(np.float64)
        ranking = Ranking.of(truth, scores)
        figures = each_alone(truth, 200, seed=sample).figures(
            lambda counts, ranking=ranking: np.array([ranking.summed(counts).auroc()])
        )
        interval = percentile_interval(figures[:, 0])
        assert interval is not None
        held += interval[0] <= true <= interval[1]
    assert 0.89 <= held / 200 <= 1.0


def test_rows_of_one_conversation_are_no_independent_witnesses() -> None:
    """Every row thrice: by rows the interval shrinks by about √3, by groups it stays what it was."""
    order = np.random.default_rng(2)
    truth = np.array([1] * 60 + [0] * 120, np.float32)
    scores = order.normal(truth, 1.0).astype(np.float64)
    groups = np.arange(180)

    def width(truth: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> float:
        ranking = Ranking.of(truth, scores)
        figures = Resampling(truth, groups, 400).figures(
            lambda counts: np.array([ranking.summed(counts).auroc()])
        )
        interval = percentile_interval(figures[:, 0])
        assert interval is not None
        return interval[1] - interval[0]

    thrice = [np.repeat(values, 3) for values in (truth, scores, groups)]
    once = width(truth, scores, groups)
    assert width(*thrice) == pytest.approx(once, rel=0.15)
    assert width(thrice[0], thrice[1], np.arange(540)) == pytest.approx(once / np.sqrt(3), rel=0.2)
