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
        assert progress.observe(now, {P: Standing(done, 99, done)}, rebalancing=False) == ()
    progress = Progress(stall_s=60)
    for now in (0, 100, 200):
        assert progress.observe(now, {P: Standing(9, 9, 9)}, rebalancing=False) == ()
    assert progress.observe(210, {P: Standing(9, 10, 9)}, rebalancing=False) == ()
    assert progress.observe(259, {P: Standing(9, 10, 9)}, rebalancing=False) == ()


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


def test_what_expired_before_it_was_read_is_no_lag() -> None:
    assert Standing(None, 1000).within((1000, 1000)).lag == 0
    assert Standing(500, 1000).within((900, 1000)).lag == 100


def test_the_later_end_counts() -> None:
    """A fetch that died long ago knows an end of long ago, and some brokers name one too early."""
    assert Standing(5, 5).within((0, 9)).lag == 4
    assert Standing(5, 9).within((0, 7)).lag == 4
    assert Standing(5, None).within(None).lag == 0


def test_a_commit_that_never_comes_is_a_stall() -> None:
    progress = Progress(stall_s=60)
    standing = Standing(done=9, end=9, committed=7)
    assert progress.observe(0, {P: standing}, rebalancing=False) == ()
    assert progress.observe(60, {P: standing}, rebalancing=False) == (Stalled(P, 0, 60),)
    assert progress.observe(61, {P: Standing(9, 9, 9)}, rebalancing=False) == ()
    assert progress.observe(200, {P: Standing(9, 9, 9)}, rebalancing=False) == ()


def test_a_suspicion_that_was_not_confirmed_starts_anew() -> None:
    progress = Progress(stall_s=60)
    standing = Standing(9, 10, 9)
    progress.observe(0, {P: standing}, rebalancing=False)
    assert progress.observe(60, {P: standing}, rebalancing=False)
    progress.moved(60, P, standing)
    assert progress.observe(119, {P: standing}, rebalancing=False) == ()
    assert progress.observe(120, {P: standing}, rebalancing=False)


def test_a_partition_that_waits_behind_others_is_no_stall_while_events_are_handled() -> None:
    """30 events a second: a full lane of 2,048 takes 68 s, and what is finished moves by whole deliveries."""
    progress = Progress(stall_s=60, events_ahead=2_048)
    for now in range(0, 69, 4):
        assert progress.observe(now, {P: Standing(5, 900, 5, handled=30 * now)}, rebalancing=False) == ()
    # All that could stand before it is handled: its own are lost.
    assert progress.observe(72, {P: Standing(5, 900, 5, handled=30 * 72)}, rebalancing=False) != ()


def test_nothing_handled_for_long_is_a_stall_however_few_events_stand_ahead() -> None:
    progress = Progress(stall_s=60, events_ahead=2_048)
    progress.observe(0, {P: Standing(5, 900, 5, handled=7)}, rebalancing=False)
    progress.observe(20, {P: Standing(5, 900, 5, handled=8)}, rebalancing=False)
    assert progress.observe(79, {P: Standing(5, 900, 5, handled=8)}, rebalancing=False) == ()
    assert progress.observe(80, {P: Standing(5, 900, 5, handled=8)}, rebalancing=False) == (
        Stalled(P, 895, 80),
    )


def test_a_partition_with_nothing_under_way_does_not_wait_its_turn() -> None:
    """Its fetching has died: what other partitions do is no news of it."""
    progress = Progress(stall_s=60, events_ahead=2_048)
    other = ("messages", 1)
    for now in (0, 30, 60):
        standings = {P: Standing(5, 9, 5), other: Standing(now, 900, now, handled=now)}
        stalled = progress.observe(now, standings, rebalancing=False)
    assert stalled == (Stalled(P, 4, 60),)


def test_what_was_handled_counts_from_when_it_is_known() -> None:
    progress = Progress(stall_s=60, events_ahead=10)
    progress.observe(0, {P: Standing(5, 9, 5)}, rebalancing=False)
    progress.observe(30, {P: Standing(5, 9, 5, handled=5_000)}, rebalancing=False)
    assert progress.observe(70, {P: Standing(5, 9, 5, handled=5_009)}, rebalancing=False) == ()
    assert progress.observe(71, {P: Standing(5, 9, 5, handled=5_011)}, rebalancing=False) != ()
