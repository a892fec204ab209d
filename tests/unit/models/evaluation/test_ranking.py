"""Figures under row counts are those of the resample written out, as scikit-learn computes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.evaluation.metrics import precision_at
from models.evaluation.ranking import Ranking

TRUTH = np.array([1, 1, 0, 1, 0, 0, 0, 0], np.float32)
SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
ONCE = np.ones(8, np.int64)

#: Rows of (positive?, score with many ties, how often it occurs in the resample), both classes among those drawn.
resamples = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=40
).filter(lambda rows: len({positive for positive, _, count in rows if count}) == 2)


def written_out(rows: list[tuple[bool, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.array([float(positive) for positive, _, _ in rows], np.float32)
    scores = np.array([score / 6 for _, score, _ in rows])
    return truth, scores, np.array([count for _, _, count in rows], np.int64)


@given(resamples)
def test_areas_are_those_of_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    truth, scores, counts = written_out(rows)
    summed = Ranking.of(truth, scores).summed(counts)
    drawn = np.repeat(truth, counts), np.repeat(scores, counts)
    assert summed.average_precision() == pytest.approx(average_precision_score(*drawn))
    assert summed.auroc() == pytest.approx(roc_auc_score(*drawn))


@given(resamples, st.integers(1, 60))
def test_the_first_k_are_those_of_the_resample(rows: list[tuple[bool, int, int]], k: int) -> None:
    truth, scores, counts = written_out(rows)
    ranking = Ranking.of(truth, scores)
    summed = ranking.summed(counts)
    drawn_truth = np.repeat(truth[ranking.order], counts[ranking.order])
    (found,) = summed.precision_at([k])
    if k > counts.sum():
        assert np.isnan(found)
        assert summed.found_within(k) == drawn_truth.sum()
    else:
        assert found == pytest.approx(drawn_truth[:k].mean())
        assert summed.found_within(k) == round(found * k)


@given(resamples, st.integers(1, 40))
def test_the_data_as_it_is_has_the_precision_of_metrics(rows: list[tuple[bool, int, int]], k: int) -> None:
    truth, scores, _ = written_out(rows)
    if not 0 < truth.sum() < len(truth) or k > len(truth):
        return
    (found,) = Ranking.of(truth, scores).summed(np.ones(len(truth), np.int64)).precision_at([k])
    assert found == pytest.approx(precision_at(truth, scores, k))


@pytest.mark.parametrize("violations_first", [True, False])
def test_a_model_that_knows_nothing_gains_nothing_by_the_order_of_the_file(violations_first: bool) -> None:
    truth = np.sort((np.arange(1000) < 100).astype(np.float32))
    truth = truth[::-1].copy() if violations_first else truth
    constant = np.full(1000, 0.5)
    summed = Ranking.of(truth, constant).summed(np.ones(1000, np.int64))
    # a tenth of the rows are violations; four standard deviations of 100 draws
    assert summed.precision_at([100])[0] == pytest.approx(0.1, abs=0.12)
    assert precision_at(truth, constant, 100) == pytest.approx(0.1, abs=0.12)
    assert summed.needed_for(50) == pytest.approx(500, abs=200)


@given(resamples)
def test_alerts_needed_are_the_fewest_that_find_so_many(rows: list[tuple[bool, int, int]]) -> None:
    truth, scores, counts = written_out(rows)
    summed = Ranking.of(truth, scores).summed(counts)
    for positives in range(summed.positives + 1):
        needed = int(summed.needed_for(positives))
        assert summed.found_within(needed) == positives
        assert needed == 0 or summed.found_within(needed - 1) < positives
    assert np.isnan(summed.needed_for(summed.positives + 1))


def test_by_hand() -> None:
    summed = Ranking.of(TRUTH, SCORES).summed(ONCE)
    assert summed.average_precision() == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert summed.auroc() == pytest.approx(14 / 15)
    assert summed.precision_at([1, 3, 4]).tolist() == pytest.approx([1, 2 / 3, 3 / 4])
    assert summed.needed_for(3) == 4
    assert summed.at(3) == (3, 2)
    assert summed.at(0) == (0, 0)


@pytest.mark.parametrize("truth", [np.zeros(4, np.float32), np.ones(4, np.float32)])
def test_one_class_alone_is_refused(truth: np.ndarray) -> None:
    with pytest.raises(ValueError, match="both classes"):
        Ranking.of(truth, np.linspace(0, 1, 4))
