"""The clock that is read off the log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.end_to_end.measuring import clock


def predictions(*timestamps_ms: int) -> Any:
    return [SimpleNamespace(timestamp=timestamp_ms) for timestamp_ms in timestamps_ms]


def test_the_clock_runs_from_the_first_timestamp_and_what_came_after_it_counts() -> None:
    assert clock(predictions(3_000, 1_000, 1_000, 2_500)) == (1.0, 3.0, 2)


@pytest.mark.parametrize("timestamps_ms", [(), (1_000,), (1_000, 1_000)])
def test_one_moment_is_no_measurement(timestamps_ms: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="too few messages"):
        clock(predictions(*timestamps_ms))
