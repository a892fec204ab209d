"""The search over whole runs: what counts as kept up with, and when it ends."""

from __future__ import annotations

import numpy as np
import pytest

from streams.stress.account import Account, Arrival
from streams.stress.maximum import find_maximum
from streams.stress.run import Run
from streams.stress.schedule import Schedule
from streams.stress.verdict import Goals, Verdict
from tests.unit.stress.finished_runs import BEGAN_AT_US, NAME


def run_at(schedule: Schedule, *, predicted_after_s: float, lost: int = 0) -> Run:
    """Ten events of which the first few are lost."""
    account = Account(np.zeros(10))
    for number in range(10):
        account.note_sent(number, 0)
        account.note_acknowledged(number, 0)
        if number >= lost:
            account.note_prediction(number, Arrival(predicted_after_s, predicted_after_s), ())
    return Run(NAME, schedule, account, BEGAN_AT_US, sent_for_s=schedule.span_s, drained_for_s=0, own_cpu_s=0)


@pytest.mark.parametrize(
    ("goals", "slow_s", "reached"),
    [(Goals(), 1.1, True), (Goals(), 0.9, False), (Goals(prediction_p99_ms=500), 0.6, True)],
)
async def test_a_rate_at_which_predictions_come_too_late_is_too_high(
    goals: Goals, slow_s: float, reached: bool
) -> None:
    tried: list[tuple[float, bool]] = []

    async def attempt(schedule: Schedule) -> Run:
        return run_at(schedule, predicted_after_s=0.1 if schedule.rate <= 300 else slow_s)

    def note(run: Run, verdict: Verdict) -> None:
        tried.append((run.schedule.rate, verdict.passed))

    found = await find_maximum(
        Schedule(100, 5), goals, attempt, on_trial=note, stopped=lambda: len(tried) == 12
    )
    assert tried[:2] == [(100, True), (200, True)]
    if reached:
        assert 300 / (1 + 1 / 15) <= found <= 300
    else:
        assert found == max(rate for rate, _ in tried), "nothing was too slow: only being stopped ended it"


async def test_a_run_that_leaves_events_outstanding_ends_the_search() -> None:
    rates: list[float] = []

    async def attempt(schedule: Schedule) -> Run:
        rates.append(schedule.rate)
        return run_at(schedule, predicted_after_s=0.1, lost=3 if schedule.rate > 100 else 0)

    found = await find_maximum(Schedule(100, 5), Goals(), attempt, on_trial=lambda run, verdict: None)
    assert (rates, found) == ([100, 200], 100)
