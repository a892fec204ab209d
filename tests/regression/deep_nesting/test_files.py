"""A line of a file nested deeper than the decoder goes ended a backtest with a traceback."""

from __future__ import annotations

from streams.backtest.history import Skipped, past_of_line

NESTED = b"[" * 5_000 + b"]" * 5_000


def test_a_line_of_history_is_skipped() -> None:
    (found,) = past_of_line(b'{"messages":[],"x":' + NESTED + b"}", without_time_us=0)
    assert isinstance(found, Skipped)
    assert found.reason == "not_json"
