"""The human cost of matching the rules, and coverage at an equal budget, on ten rows counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.intervals import Resampling
from models.evaluation.rules_cost import rules_cost

#: From the highest score down: 1 1 0 1 0 0 1 0 0 0. Rules alert on the rows at 0, 2, 4, 6 (two right, two wrong).
TRUTH = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0], np.float32)
SCORES = np.linspace(0.95, 0.05, 10)
BY_RULE = np.isin(np.arange(10), [0, 2, 4, 6])


def cost(by_rule: np.ndarray = BY_RULE):
    return rules_cost(SCORES, by_rule, Resampling(TRUTH, np.arange(10), 300))


def test_by_hand() -> None:
    found = cost()
    assert (found.rule_alerts, found.rule_found) == (4, 2)
    assert (found.rule_precision.value, found.rule_recall.value) == (0.5, 0.5)
    assert found.alerts_needed.value == 2  # the two highest are both right
    assert found.reading.value == 0.5
    # at four alerts each, the model finds the rows 0, 1, 3, the rules 0 and 6
    assert (found.both, found.only_model, found.only_rules, found.neither) == (1, 2, 1, 0)
    assert found.coverage_gain.value == pytest.approx(0.5)
    assert found.added.value == pytest.approx(1.0)
    assert found.together == 6  # rows 0 to 4 and 6


def test_the_order_of_the_rows_does_not_matter() -> None:
    shuffled = np.random.default_rng(1).permutation(10)
    found = rules_cost(SCORES[shuffled], BY_RULE[shuffled], Resampling(TRUTH[shuffled], np.arange(10), 100))
    assert (found.both, found.only_model, found.only_rules, found.neither) == (1, 2, 1, 0)
    assert found.alerts_needed.value == 2
    assert found.added.value == pytest.approx(1.0)


def test_intervals_hold_the_figures() -> None:
    found = cost()
    for one in (found.rule_precision, found.rule_recall):
        assert one.low <= one.value <= one.high  # type: ignore[operator]


def test_rules_that_find_nothing_leave_nothing_to_match() -> None:
    found = cost(np.isin(np.arange(10), [2, 4]))
    assert (found.rule_alerts, found.rule_found) == (2, 0)
    assert found.rule_precision.value == 0.0
    assert found.alerts_needed.value is None
    assert found.coverage_gain.value is None
    assert (found.only_model, found.neither) == (2, 2)


def test_rules_that_never_fire_have_no_precision() -> None:
    found = cost(np.zeros(10, np.bool_))
    assert (found.rule_alerts, found.rule_precision.value, found.rule_recall.value) == (0, None, 0.0)
    assert (found.both, found.only_model, found.only_rules, found.neither) == (0, 0, 0, 4)
