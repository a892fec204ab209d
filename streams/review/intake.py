"""From raw records of `alerted` and `decisions` to the book, whatever their bytes are (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from streams.events import BadRecord
from streams.review.alerted import decode
from streams.review.book import Book
from streams.review.verdicts import RawDecision, verdict_in


class RawRecord(RawDecision, Protocol):
    """A record of either topic."""

    @property
    def topic(self) -> str:
        """Its topic's full name."""


@dataclass(slots=True)
class Taken:
    """Records taken so far, and those that could not be used: alerts' facts that this version cannot read, decisions
    that are dead letters. `repeated`: decisions that said again, to the letter, what was known.
    """

    alerts: int = 0
    unreadable: int = 0
    decisions: int = 0
    unusable: int = 0
    repeated: int = 0


class ReviewIntake:
    """Folds records into a book and counts what they were. The topics are full names."""

    def __init__(self, book: Book, *, alerted: str, decisions: str) -> None:
        self.book = book
        self.taken = Taken()
        self._alerted = alerted
        self._decisions = decisions

    def fold(self, records: Sequence[RawRecord]) -> None:
        """Take in records of the two topics, in any order."""
        for record in records:
            if record.topic == self._alerted:
                self._take_alert(record)
            elif record.topic == self._decisions:
                self._take_decision(record)

    def _take_alert(self, record: RawRecord) -> None:
        self.taken.alerts += 1
        try:
            self.book.add_alert(decode(record.value))
        except (msgspec.DecodeError, ValueError):  # ValueError: a time that is none
            self.taken.unreadable += 1

    def _take_decision(self, record: RawRecord) -> None:
        self.taken.decisions += 1
        try:
            alert_id, verdict = verdict_in(record)
        except BadRecord:
            self.taken.unusable += 1  # the worker that consumes it makes the dead letter
            return
        if not self.book.add_verdict(alert_id, verdict):
            self.taken.repeated += 1
