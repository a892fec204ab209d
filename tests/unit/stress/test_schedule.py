from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stress.schedule import Arrivals, NothingToSend, Schedule

ARRIVALS = st.sampled_from(["even", "poisson"])


@given(rate=st.floats(1, 2_000), seconds=st.floats(1, 20), warm_up_s=st.floats(0, 5), arrivals=ARRIVALS)
def test_every_event_has_its_time_within_the_span(
    rate: float, seconds: float, warm_up_s: float, arrivals: Arrivals
) -> None:
    schedule = Schedule(rate, seconds, warm_up_s, arrivals)
    due_s = schedule.due_s()
    assert len(due_s) == round(rate * (seconds + warm_up_s))
    assert (np.diff(due_s) >= 0).all()
    assert due_s[0] >= 0
    assert due_s[-1] < schedule.span_s


def test_even_arrivals_have_equal_distances() -> None:
    assert Schedule(4, 2).due_s().tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]


def test_poisson_arrivals_are_as_uneven_as_those_of_independent_users() -> None:
    gaps_s = np.diff(Schedule(100, 100, arrivals="poisson").due_s())
    # Of exponential gaps the deviation equals the mean; even arrivals have none.
    assert gaps_s.std() / gaps_s.mean() == pytest.approx(1.0, abs=0.1)


def test_poisson_arrivals_follow_the_seed() -> None:
    first, again, other = (
        Schedule(10, 3, arrivals="poisson", seed=seed).due_s().tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_less_than_one_event_is_refused() -> None:
    with pytest.raises(NothingToSend, match=r"0.1 events/s for 3 s are no event at all"):
        Schedule(0.1, 3).due_s()
