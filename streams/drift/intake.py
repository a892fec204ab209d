"""From raw records of `statistics` to the drift book, whatever their bytes are (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.drift.book import DriftBook
from streams.statistics.book import RawRecord
from streams.statistics.records import decode


class StatisticsIntake:
    """Folds records into a book. `unreadable` counts those that this version cannot read; they are left out."""

    def __init__(self) -> None:
        self.book = DriftBook()
        self.unreadable = 0

    def fold(self, records: Sequence[RawRecord]) -> None:
        """Take in records, in any order."""
        for record in records:
            if record.value is None:  # a tombstone
                continue
            try:
                self.book.add(decode(record.value))
            # UnicodeDecodeError: a name that is none; RecursionError: nested too deeply; OverflowError: a count that no
            # process reaches.
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
                self.unreadable += 1
