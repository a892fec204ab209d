"""All workers' counts by hour, as read from the topic `statistics`, whatever the order they are read in (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from streams.statistics.records import Counts, decode, series_of, summed

Series = tuple[str, ...]


class RawRecord(Protocol):
    """What is used of a record as aiokafka gives it."""

    @property
    def value(self) -> bytes | None:
        """Raw."""


@dataclass(slots=True)
class _Sum:
    """The newest record of each instance, encoded: a tenth of what its counts take as objects. `total` when asked."""

    by_instance: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    total: Counts | None = None


class StatisticsBook:
    """Counts by series (`records.series_of`) and UTC hour, summed over the instances that counted them.

    Folding is commutative and idempotent. A day of one worker with six models is some 24 x 7 records of 3 kB.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[int, Series], _Sum] = {}
        self._oldest = 0
        #: Records that this engine did not write.
        self.unreadable = 0

    def fold(self, value: bytes | None) -> None:
        """Take in the value of one record; a tombstone says nothing, what cannot be read is counted."""
        if value is None:
            return
        try:
            counts = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.unreadable += 1
            return
        if counts.hour < self._oldest:
            return
        found = self._sums.setdefault((counts.hour, series_of(counts)), _Sum())
        known = found.by_instance.get(counts.instance)
        if known is None or counts.events > known[0]:
            found.by_instance[counts.instance] = counts.events, value
            found.total = None

    def fold_all(self, records: Iterable[RawRecord]) -> None:
        """Take in records as a consumer gives them."""
        for record in records:
            self.fold(record.value)

    def forget_before(self, hour: int) -> None:
        """Drop the hours before this one, now and when they come again.

        An earlier one than the last time lets them in again: the clock had been ahead.
        """
        if hour == self._oldest:
            return
        self._oldest = hour
        for place in [place for place in self._sums if place[0] < self._oldest]:
            del self._sums[place]

    def hours(self) -> list[int]:
        """The hours that anything was counted in, in order."""
        return sorted({hour for hour, _ in self._sums})

    def series(self) -> list[Series]:
        """Everything that was counted in any hour, in order."""
        return sorted({series for _, series in self._sums})

    def at(self, hour: int, series: Series) -> Counts | None:
        """The sum over all instances; None where nothing was counted."""
        found = self._sums.get((hour, series))
        if found is None:
            return None
        if found.total is None:
            found.total = summed([decode(value) for _, value in found.by_instance.values()])
        return found.total

    def over(self, hours: Collection[int], series: Series) -> Counts | None:
        """The sum over these hours; None where nothing was counted."""
        counted = [counts for hour in hours if (counts := self.at(hour, series)) is not None]
        return summed(counted) if counted else None
