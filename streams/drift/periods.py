"""The two periods that are compared, in UTC hours counted from 1970 (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streams.statistics.records import HOUR_US, hour_of

#: The last day against the four weeks before it: whole days hold the daily cycle, whole weeks the weekly one.
CURRENT_HOURS: Final = 24
REFERENCE_HOURS: Final = 28 * 24


@dataclass(frozen=True, slots=True)
class Periods:
    """Hours `[reference, current)` and `[current, end)`."""

    reference: int
    current: int
    end: int

    def __post_init__(self) -> None:
        if not self.reference < self.current < self.end:
            raise ValueError("the reference must begin before the current period, and that before its end")

    @property
    def hours(self) -> int:
        """Length of the current period."""
        return self.end - self.current

    @property
    def parts(self) -> int:
        """How many parts as long as the current period the reference has; at least one."""
        return max(1, -(-(self.current - self.reference) // self.hours))

    def part_of(self, hour: int) -> int | None:
        """The part that an hour belongs to: 0 is the current period, 1 the part before it, and so on; None outside."""
        if not self.reference <= hour < self.end:
            return None
        return 0 if hour >= self.current else (self.current - 1 - hour) // self.hours + 1

    def span_us(self, *, current: bool) -> tuple[int, int]:
        """Beginning and end of the current period or of the reference, in microseconds since 1970."""
        first, end = (self.current, self.end) if current else (self.reference, self.current)
        return first * HOUR_US, end * HOUR_US


def between(reference_us: int, since_us: int, now_us: int) -> Periods:
    """From these moments on (microseconds since 1970), in whole hours, the running one included.

    An hour that begins before its moment belongs to what was before: a day ago is the beginning of 24 hours, not 25.
    Raises `ValueError` where they are not in this order.
    """
    return Periods(-(-reference_us // HOUR_US), -(-since_us // HOUR_US), hour_of(now_us) + 1)


def last_hours(now_us: int, *, current: int = CURRENT_HOURS, reference: int = REFERENCE_HOURS) -> Periods:
    """The last `current` hours, the running one included, and the `reference` hours before them."""
    end = hour_of(now_us) + 1
    return Periods(end - current - reference, end - current, end)
