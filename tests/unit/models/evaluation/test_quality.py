"""Figures with their intervals, against the plain metrics and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.calibration import calibration
from models.evaluation.intervals import Resampling
from models.evaluation.metrics import evaluate
from models.evaluation.quality import curve_points, quality


def drawn(rows: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(seed)
    truth = (order.random(rows) < 0.2).astype(np.float32)
    return truth, 1 / (1 + np.exp(-order.normal(truth * 2 - 1, 1.0)))


def test_values_are_those_of_the_plain_metrics() -> None:
    truth, scores = drawn()
    found = quality(
        scores, Resampling(truth, np.arange(400), 100), ks=(50, 100, 900), threshold=0.6, curve_to=400
    )
    plain = evaluate(truth, scores, threshold=0.6)
    assert (found.examples, found.positives, found.prevalence) == (400, plain.positives, plain.prevalence)
    assert found.auroc.value == pytest.approx(plain.auroc)
    assert found.average_precision.value == pytest.approx(plain.average_precision)
    assert {str(k): one.value for k, one in found.precision_at.items()} == pytest.approx(
        {k: v for k, v in plain.precision_at_k.items() if k != "200"}
    )
    assert found.at_threshold is not None
    assert plain.at_threshold is not None
    assert found.at_threshold.alerts == plain.at_threshold.alerts
    assert found.at_threshold.precision.value == pytest.approx(plain.at_threshold.precision)
    assert found.at_threshold.recall.value == pytest.approx(plain.at_threshold.recall)


def test_every_figure_lies_within_its_interval_and_the_curve_ends_at_the_prevalence() -> None:
    truth, scores = drawn()
    found = quality(scores, Resampling(truth, np.arange(400), 200), ks=(50,), threshold=0.6, curve_to=400)
    assert found.at_threshold is not None
    shown = [found.auroc, found.average_precision, found.precision_at[50], found.at_threshold.recall]
    assert all(one.low < one.value < one.high for one in shown)  # type: ignore[operator]
    last, at_all = found.curve[-1]
    assert last == 400
    assert at_all.value == pytest.approx(found.prevalence)


def test_no_alert_has_no_precision_but_no_recall_either() -> None:
    truth, scores = drawn()
    found = quality(scores, Resampling(truth, np.arange(400), 100), ks=(), threshold=1.1, curve_to=10)
    assert found.at_threshold is not None
    assert (found.at_threshold.alerts, found.at_threshold.found) == (0, 0)
    assert found.at_threshold.precision.value is None
    assert found.at_threshold.recall.value == 0.0


def test_without_a_threshold_nothing_is_said_of_it() -> None:
    truth, scores = drawn()
    assert (
        quality(
            scores, Resampling(truth, np.arange(400), 100), ks=(), threshold=None, curve_to=10
        ).at_threshold
        is None
    )


@pytest.mark.parametrize("last", [1, 2, 61, 30_000])
def test_the_curve_rises_from_one_to_its_last_k(last: int) -> None:
    points = curve_points(last)
    assert (points[0], points[-1]) == (1, last)
    assert points == sorted(set(points))


def test_calibration_by_hand() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1, 1, 0], np.float32)
    scores = np.array([0.05, 0.05, 0.05, 0.05, 0.95, 0.95, 0.95, 0.95])
    found = calibration(truth, scores)
    assert [(one.low, one.examples, one.violations.value) for one in found.bins] == [
        (0.0, 4, 0.25),
        (0.9, 4, 0.75),
    ]
    assert found.expected_error == pytest.approx(0.2)  # |0.05 - 0.25| and |0.95 - 0.75|
    assert found.of_alerts == pytest.approx(0.2)
    assert found.brier == pytest.approx((6 * 0.05**2 + 2 * 0.95**2) / 8)


def test_scores_that_are_probabilities_have_no_error() -> None:
    scores = np.repeat([0.05, 0.35, 0.85], 2000)
    truth = (np.random.default_rng(1).random(6000) < scores).astype(np.float32)
    found = calibration(truth, scores)
    assert found.expected_error < 0.02  # three shares of 2,000 each: standard error at most 0.011
    assert all(one.violations.low <= one.mean_score <= one.violations.high for one in found.bins)  # type: ignore[operator]


def test_a_score_of_one_belongs_to_the_last_tenth_and_low_scores_have_no_alerts() -> None:
    (low, high) = calibration(np.array([0, 1], np.float32), np.array([0.0, 1.0])).bins
    assert (low.low, high.low) == (0.0, 0.9)
    assert calibration(np.array([0, 1], np.float32), np.array([0.1, 0.2])).of_alerts is None
