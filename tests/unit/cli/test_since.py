from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cli.since import START, Since, since_us

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NOW_US = 1_795_255_200_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start", START),
        ("90s", NOW_US - 90_000_000),
        ("10m", NOW_US - 600_000_000),
        ("2h", NOW_US - 7_200_000_000),
        ("3d", NOW_US - 3 * 86_400_000_000),
        ("2026-11-21T10:00:00Z", NOW_US),
        ("2026-11-21T19:00:00+09:00", NOW_US),
        ("2026-11-21 10:00", NOW_US),
    ],
)
def test_what_is_understood(text: str, expected: int) -> None:
    assert since_us(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "10", "1w", "-5m", "10 m", "٣m"])
def test_anything_else_is_answered_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="neither `start`, nor so long ago"):
        since_us(text, NOW)


@given(st.timedeltas(timedelta(0), timedelta(days=10_000)))
def test_a_time_is_itself(ago: timedelta) -> None:
    moment = NOW - ago

    assert since_us(moment.isoformat(), NOW) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


def test_the_option_converts_once_and_refuses() -> None:
    assert Since().convert(5, None, None) == 5
    assert Since().convert("start", None, None) == START
    with pytest.raises(click.BadParameter, match="neither `start`"):
        Since().convert("soon", None, None)
