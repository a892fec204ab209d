"""The pace: within its bounds, down for slow models and up again, and never stuck."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.agents.pace import FEWEST_ROWS, Pace

AIM_S = 1.0


def settled(pace: Pace, *, rows_per_s: float, parts: int = 4, rounds: int = 12) -> Pace:
    """The pace after some rounds of `parts` requests at once to a server that shares its speed among them."""
    for _ in range(rounds):
        asked = pace.rows
        for _ in range(parts):
            pace = pace.after(asked, parts * asked / rows_per_s, answered=True)
    return pace


def test_a_fast_server_gets_full_batches() -> None:
    assert settled(Pace.full(64, aim_s=AIM_S), rows_per_s=5_000).rows == 64


def test_a_server_at_a_tenth_of_its_speed_gets_parts_that_it_answers_in_time() -> None:
    slow = settled(Pace.full(64, aim_s=AIM_S), rows_per_s=50)
    assert 4 * slow.rows / 50 <= AIM_S
    assert slow.rows == FEWEST_ROWS, "64 take 5.1 s, 32 2.6 s, 16 1.3 s, 8 0.6 s"
    assert settled(slow, rows_per_s=5_000).rows == 64


def test_requests_that_set_out_together_halve_it_once() -> None:
    pace = Pace.full(64, aim_s=AIM_S)
    for _ in range(4):
        pace = pace.after(64, 2.0, answered=True)
    assert pace.rows == 32


def test_failures_that_come_at_once_do_not_make_it_faster() -> None:
    slow = Pace(8, 64, AIM_S)
    assert slow.after(8, 0.001, answered=False) == slow


def test_the_last_part_of_a_batch_does_not_make_it_faster() -> None:
    slow = Pace(16, 64, AIM_S)
    assert slow.after(3, 0.01, answered=True) == slow


@given(
    most=st.integers(1, 1024),
    course=st.lists(st.tuples(st.integers(1, 1024), st.floats(0, 100), st.booleans())),
)
def test_it_stays_within_its_bounds(most: int, course: list[tuple[int, float, bool]]) -> None:
    pace = Pace.full(most, aim_s=AIM_S)
    for rows, took_s, answered in course:
        pace = pace.after(rows, took_s, answered=answered)
        assert min(FEWEST_ROWS, most) <= pace.rows <= most


@given(rows_per_s=st.floats(1, 100_000))
def test_whatever_the_speed_it_settles(rows_per_s: float) -> None:
    pace = settled(Pace.full(64, aim_s=AIM_S), rows_per_s=rows_per_s)
    assert settled(pace, rows_per_s=rows_per_s, rounds=1) == pace
