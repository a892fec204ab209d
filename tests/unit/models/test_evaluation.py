"""Quality figures against hand-made cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.metrics import (
    at_threshold,
    evaluate,
    gate_by_class,
    precision_at,
    threshold_for_precision,
)

TRUTH = np.array([1, 1, 0, 1, 0, 0, 0, 0], np.float32)
SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])


def test_metrics_by_hand() -> None:
    metrics = evaluate(TRUTH, SCORES, threshold=0.65)
    assert (metrics.examples, metrics.positives, metrics.prevalence) == (8, 3, 3 / 8)
    assert metrics.auroc == pytest.approx(14 / 15)
    assert metrics.average_precision == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert metrics.at_threshold is not None
    assert metrics.at_threshold.alerts == 3
    assert metrics.at_threshold.precision == pytest.approx(2 / 3)
    assert metrics.at_threshold.recall == pytest.approx(2 / 3)
    assert metrics.precision_at_k == {}


def test_precision_at_k() -> None:
    assert precision_at(TRUTH, SCORES, 2) == 1.0
    assert precision_at(TRUTH, SCORES, 4) == 0.75


def test_no_alert_has_no_precision() -> None:
    nothing = at_threshold(TRUTH, SCORES, 0.95)
    assert (nothing.alerts, nothing.precision, nothing.recall) == (0, None, 0.0)


@pytest.mark.parametrize("truth", [np.zeros(5, np.float32), np.ones(5, np.float32)])
def test_one_class_alone_is_refused(truth: np.ndarray) -> None:
    with pytest.raises(ValueError, match="both classes"):
        evaluate(truth, np.linspace(0, 1, 5))


def test_threshold_of_the_most_recall() -> None:
    assert threshold_for_precision(TRUTH, SCORES, 0.75) == 0.6
    assert threshold_for_precision(TRUTH, SCORES, 1.0) == 0.8
    assert threshold_for_precision(1 - TRUTH, SCORES, 0.99) is None


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=60).filter(
        lambda r: any(t for t, _ in r)
    ),
    st.floats(0.05, 1.0),
)
def test_a_threshold_keeps_its_promise_and_no_lower_one_does(
    rows: list[tuple[bool, int]], wanted: float
) -> None:
    truth = np.array([float(t) for t, _ in rows], np.float32)
    scores = np.array([s / 10 for _, s in rows])
    found = threshold_for_precision(truth, scores, wanted)
    keeping = [t for t in set(scores) if (at_threshold(truth, scores, t).precision or 0) >= wanted]
    assert found == (min(keeping) if keeping else None)


def test_gates_count_only_listings_with_a_picture() -> None:
    gates = np.array([[0.2, 0.8], [0.6, 0.4], [1.0, 0.0]], np.float32)
    found = gate_by_class(np.array([1, 0, 0], np.float32), gates, np.array([[1], [1], [0]], np.float32))
    assert found == {"violation": pytest.approx(0.2), "no_violation": pytest.approx(0.6)}


def test_a_row_with_a_weight_counts_as_so_many_rows() -> None:
    truth, scores = np.array([1, 0, 1, 0], np.float32), np.array([0.9, 0.8, 0.7, 0.1])
    weights = np.array([1, 1, 2, 10], np.float32)
    weighed = evaluate(truth, scores, threshold=0.7, weights=weights)
    counts = weights.astype(int)
    spelt_out = evaluate(np.repeat(truth, counts), np.repeat(scores, counts), threshold=0.7)
    assert weighed.prevalence == pytest.approx(spelt_out.prevalence)
    assert weighed.auroc == pytest.approx(spelt_out.auroc)
    assert weighed.average_precision == pytest.approx(spelt_out.average_precision)
    assert weighed.at_threshold == spelt_out.at_threshold
    assert (weighed.examples, weighed.positives) == (4, 2)
    assert precision_at(truth, scores, 3, weights) == pytest.approx(2 / 3)


def test_events_that_a_row_stands_for_raise_the_threshold() -> None:
    truth, scores = np.array([1, 1, 0, 1], np.float32), np.array([0.9, 0.8, 0.7, 0.6])
    assert threshold_for_precision(truth, scores, 0.75) == 0.6
    assert threshold_for_precision(truth, scores, 0.75, weights=np.array([1, 1, 9, 1], np.float32)) == 0.8
