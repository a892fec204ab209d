from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.stress.search import MOST_TRIALS, PRECISION, Trial, highest_held, next_rate


def searched(limit: float, first: float) -> list[Trial]:
    """All trials against a deployment that keeps up with exactly the rates up to `limit`."""
    trials: list[Trial] = []
    while (rate := next_rate(trials, first)) is not None:
        trials.append(Trial(rate, held=rate <= limit))
    return trials


@given(limit=st.floats(20, 5_000), first=st.floats(20, 5_000))
def test_the_limit_is_found_to_the_precision(limit: float, first: float) -> None:
    trials = searched(limit, first)
    found = highest_held(trials)
    assert found <= limit <= found * (1 + PRECISION)
    assert len(trials) <= MOST_TRIALS


def test_a_deployment_that_keeps_up_with_nothing_ends_the_search() -> None:
    trials = searched(limit=0.0, first=100)
    assert len(trials) == MOST_TRIALS
    assert highest_held(trials) == 0


def test_no_trials_are_no_maximum() -> None:
    assert highest_held([]) == 0
    assert next_rate([], 40) == 40


def test_luck_above_a_rate_that_failed_does_not_count() -> None:
    assert highest_held([Trial(100, held=True), Trial(200, held=False), Trial(400, held=True)]) == 100
