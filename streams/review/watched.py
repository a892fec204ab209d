"""What a model that only watches would have raised, from the scores that predictions hold (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from streams.alerts import Subject, alert_id
from streams.policy import ModelRef
from streams.review.alerted import ByModel
from streams.review.book import Book, Case, Fact
from streams.review.contest import Ranked
from streams.review.intake import RawRecord
from streams.stress.identity import of_a_stress_run


class _Score(Struct, frozen=True, gc=False):
    domain: str
    model: str
    version: str
    role: str
    score: float | None
    threshold: float


class _Prediction(Struct, frozen=True, gc=False):
    subject: dict[str, str]
    content: str
    scored_at: str
    scores: tuple[_Score, ...]


_decoder = msgspec.json.Decoder(_Prediction)


class Watched:
    """Takes predictions in and keeps those in which a challenger reached its threshold, each event once.

    Memory is that of its would-be alerts: some 300 bytes each.
    """

    def __init__(self, domain: str, challenger: ModelRef) -> None:
        self._domain = domain
        self._challenger = challenger
        self._facts: dict[str, Fact] = {}
        self.unreadable = 0

    def fold(self, records: Sequence[RawRecord]) -> None:
        """Take in records of `predictions` as a client gives them."""
        self.take_in(record.value for record in records)

    def take_in(self, values: Iterable[bytes | None]) -> None:
        """Take in values of records; one that cannot be read is counted."""
        for value in values:
            try:
                self._take_in(_decoder.decode(value or b""))
            # ValueError, OverflowError: a time that is none; RecursionError: nested too deeply.
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, RecursionError):
                self.unreadable += 1

    def ranked(self, book: Book, *, since_us: int) -> dict[int, list[Ranked]]:
        """By UTC day and with the challenger's score; the verdicts are those on the alerts that others raised."""
        found: dict[int, list[Ranked]] = {}
        for fact in self._facts.values():
            if fact.raised_at_us >= since_us:
                known = book.case(fact.alert_id)
                case = Case(fact, known.judgement if known else ())
                found.setdefault(fact.day, []).append((fact.score, case))
        return found

    def _take_in(self, prediction: _Prediction) -> None:
        for of in prediction.scores:
            if (of.domain, of.model, of.version) != (
                self._domain,
                self._challenger.model,
                str(self._challenger.version),
            ):
                continue
            if of.score is None or of.score < self._challenger.threshold:
                continue
            kind, ids = _subject(prediction.subject)
            if of_a_stress_run(value for _, value in ids):
                continue
            identifier = alert_id(Subject(kind, "", ids, prediction.content), self._domain)
            at_us = round(datetime.fromisoformat(prediction.scored_at).timestamp() * 1e6)
            by = ByModel(of.model, of.version, "challenger", of.score, of.threshold)
            self._facts.setdefault(identifier, Fact(identifier, self._domain, 0, at_us, (by,), kind))


def _subject(record: dict[str, str]) -> tuple[Literal["message", "listing"], tuple[tuple[str, str], ...]]:
    ids = tuple((name, value) for name, value in record.items() if name != "type")
    match record.get("type"):
        case "message":
            return "message", ids
        case "listing":
            return "listing", ids
        case other:
            raise ValueError(f"a subject of type {other}")
