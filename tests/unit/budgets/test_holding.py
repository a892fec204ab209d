"""An adaptive budget on simulated days: the stated error is kept, restarts and second deciders change nothing.

The counts of 500 alerts vary by 4.5 % by chance (Poisson), of which the threshold knows only yesterday's: 6.4 % between
two days. So 20 % is three deviations.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np

from tests.unit.budgets.simulated import DOMAIN, STEPS_PER_DAY, Moment, simulate

K = 500
USUAL = Moment(events_per_day=100_000, violations=0.008)


def test_steady_traffic_keeps_the_budget_on_every_rolling_day_once_it_acts() -> None:
    run = simulate(3.5, lambda _: USUAL, seed=2)
    assert set(run.thresholds[: STEPS_PER_DAY - 12]) == {0.9}  # a whole day is counted first
    days = run.rolling_days()[STEPS_PER_DAY + STEPS_PER_DAY // 4 :]
    assert np.abs(days - K).max() <= 0.2 * K


def test_traffic_with_days_and_nights_keeps_the_budget_too() -> None:
    def at(day: float) -> Moment:
        return replace(USUAL, events_per_day=100_000 * (1 + 0.8 * math.sin(2 * math.pi * day)))

    days = simulate(3.5, at, seed=3).rolling_days()[STEPS_PER_DAY + STEPS_PER_DAY // 4 :]
    assert np.abs(days - K).max() <= 0.2 * K


def test_twice_the_violations_are_back_in_the_budget_after_a_day_and_a_half() -> None:
    run = simulate(4.5, lambda day: USUAL if day < 2 else replace(USUAL, violations=0.016), seed=4)
    days = run.rolling_days()
    assert days.max() <= 1.7 * K
    assert np.abs(days[int(2.5 * STEPS_PER_DAY) :] - K).max() <= 0.2 * K


def test_a_threshold_far_from_the_budget_moves_by_no_more_than_half_in_an_hour() -> None:
    run = simulate(1.6, lambda _: replace(USUAL, low=(-1.0, 1.5)), seed=5)
    assert run.thresholds[0] == 0.9
    assert run.thresholds[-1] > 0.9
    per_hour = np.add.reduceat(run.alerts, np.arange(0, len(run.alerts), 12)).astype(float)[24:]
    for before, after in itertools.pairwise(per_hour):
        # one hour's alerts against the last hour's: the bound, and four deviations of chance of both
        assert after >= before / 1.5 - 4 * math.sqrt(2 * before)


def test_restarts_and_a_second_decider_change_no_threshold() -> None:
    alone = simulate(1.4, lambda _: USUAL, seed=6)
    assert len(set(alone.thresholds)) > 3
    assert simulate(1.4, lambda _: USUAL, seed=6, restart_every_steps=37).thresholds == alone.thresholds
    assert simulate(1.4, lambda _: USUAL, seed=6, deciders=2).thresholds == alone.thresholds


def test_a_budget_that_rules_take_whole_leaves_models_a_tenth() -> None:
    run = simulate(2.5, lambda _: replace(USUAL, by_rules=0.9), seed=7)
    by_models = np.subtract(run.alerts, run.by_rules)[-STEPS_PER_DAY:].sum()
    assert abs(by_models - 0.1 * K) <= 3.5 * math.sqrt(2 * 0.1 * K)
    assert DOMAIN.alerts_per_day == K
