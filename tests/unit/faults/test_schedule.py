"""Schedules: the same for the same seed, in order, within their time, and with every kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.campaign import SCORE_DEADLINE_S
from tests.faults.schedule import KINDS, frozen_triton_at_the_end, schedule


@given(seed=st.integers(), count=st.integers(0, 120), first_s=st.floats(0, 100), length_s=st.floats(0, 4000))
def test_faults_come_in_order_within_their_time(seed: int, count: int, first_s: float, length_s: float):
    faults = schedule(seed, count=count, first_s=first_s, last_s=first_s + length_s)
    assert [fault.number for fault in faults] == list(range(1, count + 1))
    times = [fault.at_s for fault in faults]
    assert times == sorted(times)
    assert all(first_s - 0.001 <= at_s <= first_s + length_s + 0.001 for at_s in times)
    assert faults == schedule(seed, count=count, first_s=first_s, last_s=first_s + length_s)


@given(seed=st.integers(), rounds=st.integers(1, 4), more=st.integers(0, len(KINDS) - 1))
def test_every_kind_comes_before_any_comes_again(seed: int, rounds: int, more: int):
    faults = schedule(seed, count=rounds * len(KINDS) + more, first_s=0, last_s=100)
    counts = [sum(fault.kind == kind for fault in faults) for kind in KINDS]
    assert min(counts) >= rounds
    assert max(counts) <= rounds + (more > 0)


def test_other_seeds_give_other_schedules():
    assert schedule(1, count=16, first_s=0, last_s=100) != schedule(2, count=16, first_s=0, last_s=100)


def test_a_frozen_worker_outlasts_its_session_and_brokers_are_away_for_half_a_minute():
    faults = schedule(5, count=160, first_s=0, last_s=100)
    assert all(fault.hold_s > 10 for fault in faults if fault.kind == "worker frozen")
    assert {fault.hold_s for fault in faults if fault.kind == "all brokers stopped"} == {30.0}


def test_only_the_kinds_asked_for_are_drawn():
    faults = schedule(1, count=5, first_s=0, last_s=9, kinds=("poison records", "worker killed"))
    assert {fault.kind for fault in faults} == {"poison records", "worker killed"}
    assert {fault.part for fault in faults} == {"load", "workers"}


@pytest.mark.parametrize(("first_s", "last_s"), [(-1, 5), (10, 9)])
def test_a_time_that_is_none_is_refused(first_s: float, last_s: float):
    with pytest.raises(ValueError, match="there is no such time"):
        schedule(1, count=1, first_s=first_s, last_s=last_s)


def test_no_kinds_are_refused():
    with pytest.raises(ValueError, match="no kinds"):
        schedule(1, count=1, first_s=0, last_s=1, kinds=())


def test_the_last_fault_freezes_triton_for_longer_than_events_wait_for_their_scores():
    last = frozen_triton_at_the_end(60)
    assert (last.number, last.part) == (60, "triton")
    assert last.hold_s > 2 * SCORE_DEADLINE_S
