"""The two clocks of a run, started at the same moment: one that never steps, and the one that records are stamped by."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds from the run's start, which may lie a little ahead: then they are negative."""

    _monotonic_s: float
    _wall_us: int

    @classmethod
    def starting_in(cls, seconds: float) -> Clock:
        """A clock that shows 0 after so many seconds."""
        return cls(time.monotonic() + seconds, time.time_ns() // 1000 + round(seconds * 1_000_000))

    def now_s(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._monotonic_s

    def at_us(self, since_start_s: float) -> int:
        """A time of the run as microseconds since 1970."""
        return self._wall_us + round(since_start_s * 1_000_000)

    def of_timestamp_s(self, timestamp_ms: int) -> float:
        """A record's timestamp (milliseconds since 1970) as a time of the run, if all clocks agree."""
        return (timestamp_ms * 1000 - self._wall_us) / 1_000_000
