from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.drift.periods import Periods, between, last_hours
from streams.statistics.records import HOUR_US


def test_the_last_day_against_the_week_before() -> None:
    periods = last_hours(1000 * HOUR_US + 5, current=24, reference=168)
    assert periods == Periods(1001 - 192, 1001 - 24, 1001)
    assert periods.parts == 7
    assert periods.span_us(current=True) == (977 * HOUR_US, 1001 * HOUR_US)
    assert periods.span_us(current=False) == (809 * HOUR_US, 977 * HOUR_US)


@pytest.mark.parametrize("past_the_hour_us", [0, 1, HOUR_US - 1])
def test_days_ago_are_whole_days(past_the_hour_us: int) -> None:
    now_us = 1000 * HOUR_US + past_the_hour_us
    periods = between(now_us - 29 * 24 * HOUR_US, now_us - 24 * HOUR_US, now_us)
    assert periods.current - periods.reference == 28 * 24
    assert periods.hours == 24 + (past_the_hour_us == 0)
    assert periods.end == 1001


@given(st.integers(0, 500), st.integers(1, 100), st.integers(1, 100), st.integers(-10, 800))
def test_every_hour_belongs_to_one_part(first: int, reference: int, current: int, hour: int) -> None:
    periods = Periods(first, first + reference, first + reference + current)
    part = periods.part_of(hour)
    assert (part is not None) == (first <= hour < periods.end)
    if part is not None:
        assert (part == 0) == (hour >= periods.current)
        assert 0 <= part <= periods.parts
        assert abs(periods.current - hour - (part - 0.5) * current) <= current / 2


def test_periods_in_another_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must begin before"):
        Periods(5, 5, 6)
