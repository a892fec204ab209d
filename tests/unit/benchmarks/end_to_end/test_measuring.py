"""The clock that is read off the log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from benchmarks.end_to_end.measuring import clock, first_answers


def prediction(message_id: str, timestamp_ms: int) -> Any:
    value = orjson.dumps({"subject": {"message_id": message_id}})
    return SimpleNamespace(timestamp=timestamp_ms, value=value)


def test_the_clock_runs_from_the_first_timestamp_and_what_came_after_it_counts() -> None:
    assert clock([3_000, 1_000, 1_000, 2_500]) == (1.0, 3.0, 2)


@pytest.mark.parametrize("timestamps_ms", [(), (1_000,), (1_000, 1_000)])
def test_one_moment_is_no_measurement(timestamps_ms: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="too few messages"):
        clock(timestamps_ms)


def test_a_message_that_is_answered_twice_counts_once() -> None:
    written = [prediction("m1", 1_000), prediction("m2", 1_200), prediction("m1", 9_000)]
    assert first_answers(written) == {"m1": 1_000, "m2": 1_200}
