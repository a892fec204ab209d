"""Lag and stalls, on a clock of the test's own."""

from __future__ import annotations

from streams.progress import Progress, Stalled, Standing

P = ("messages", 0)


def test_lag_is_what_is_not_finished() -> None:
    assert Standing(done=7, end=10).lag == 3
    assert Standing(done=None, end=10).lag == 10
    assert Standing(done=10, end=None).lag == 0
    assert Standing(done=12, end=10).lag == 0


def test_a_partition_with_lag_that_does_not_move_stalls() -> None:
    progress = Progress(stall_s=60)
    assert progress.observe(0, {P: Standing(5, 9)}, rebalancing=False) == ()
    assert progress.observe(59, {P: Standing(5, 12)}, rebalancing=False) == ()
    assert progress.observe(60, {P: Standing(5, 20)}, rebalancing=False) == (Stalled(P, 15, 60),)


def test_movement_and_an_empty_partition_are_no_stall() -> None:
    progress = Progress(stall_s=60)
    for now, done in ((0, 5), (50, 6), (100, 7), (150, 8)):
        assert progress.observe(now, {P: Standing(done, 99)}, rebalancing=False) == ()
    progress = Progress(stall_s=60)
    for now in (0, 100, 200):
        assert progress.observe(now, {P: Standing(9, 9)}, rebalancing=False) == ()
    assert progress.observe(210, {P: Standing(9, 10)}, rebalancing=False) == ()
    assert progress.observe(259, {P: Standing(9, 10)}, rebalancing=False) == ()


def test_the_clock_starts_anew_after_a_rebalance_and_for_a_partition_that_comes_back() -> None:
    progress = Progress(stall_s=60)
    progress.observe(0, {P: Standing(5, 9)}, rebalancing=False)
    progress.observe(50, {P: Standing(5, 9)}, rebalancing=True)
    assert progress.observe(70, {P: Standing(5, 9)}, rebalancing=False) == ()
    progress.observe(80, {}, rebalancing=False)
    assert progress.observe(200, {P: Standing(5, 9)}, rebalancing=False) == ()


def test_a_rebalance_that_never_ends_is_a_stall() -> None:
    progress = Progress(stall_s=60)
    assert progress.observe(0, {}, rebalancing=True) == ()
    assert progress.observe(59, {}, rebalancing=True) == ()
    (stalled,) = progress.observe(61, {}, rebalancing=True)
    assert stalled.for_s == 61
