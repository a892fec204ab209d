"""The book of alerts and what was decided about them, folded from records in any order (pure).

Two books that have seen the same records are the same, whatever the order and the repeats: that is what lets every
worker keep one of its own. Of an alert the highest revision counts; of decisions the newest. A decision on an alert
that is not in the book waits for it. An alert was raised when its first record says so, as long as Kafka has that one: an event
that is sent again does not move it to another day. Customers' reports on an event join its alert and leave it where it
was: when it was raised and by what.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct, structs

from streams.review.alerted import Alerted, ByModel, ByReport, ByRule, RaisedBy
from streams.review.verdicts import Judgement, Verdict, with_verdict

DAY_US: Final = 86_400 * 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode


class Fact(Struct, frozen=True, gc=False):
    """What the book keeps of an alert. `raised_at_us`: microseconds since 1970; `kind` of event: message, listing."""

    alert_id: str
    domain: str
    revision: int
    raised_at_us: int
    raised_by: tuple[RaisedBy, ...]
    kind: str = ""

    @property
    def day(self) -> int:
        """The UTC day it was raised on, counted from 1970."""
        return self.raised_at_us // DAY_US

    @property
    def score(self) -> float | None:
        """The highest score, where models alone raised it, reported or not; None where a rule did, with or without
        them, and where nothing but a report did.
        """
        scores = [by.score for by in self.raised_by if isinstance(by, ByModel)]
        others = any(not isinstance(by, ByModel | ByReport) for by in self.raised_by)
        return max(scores) if scores and not others else None


@dataclass(frozen=True, slots=True)
class Case:
    """An alert and all that was decided about it."""

    fact: Fact
    judgement: Judgement

    @property
    def verdict(self) -> str | None:
        """The verdict that counts; None while nobody decided."""
        return self.judgement[0].verdict if self.judgement else None


@dataclass(frozen=True, slots=True)
class _Records:
    """What the records of an alert say, those of its event and those of reports: of each the one that stands.

    `first_us`: the earliest time of an own record.
    """

    own: Fact | None = None
    report: Fact | None = None
    first_us: int | None = None

    def with_own(self, fact: Fact) -> _Records:
        times = [fact.raised_at_us, *(at for at in (self.first_us,) if at is not None)]
        own = fact if self.own is None or _rank(fact) > _rank(self.own) else self.own
        return replace(self, own=own, first_us=min(times))

    def with_report(self, fact: Fact) -> _Records:
        stands = self.report is None or _rank(fact) > _rank(self.report)
        return replace(self, report=fact) if stands else self

    @property
    def fact(self) -> Fact:
        """The alert; there is a record."""
        own = self.own
        if own is not None and self.first_us is not None and self.first_us < own.raised_at_us:
            own = structs.replace(own, raised_at_us=self.first_us)
        return _joined(own, self.report)


class Book:
    """Alerts by day, and judgements by alert. Not for several threads: cases are values, to be handed to one."""

    def __init__(self) -> None:
        self._facts: dict[str, Fact] = {}
        #: Of alerts that no one record tells all of: reported ones, and those that were raised again later.
        self._several: dict[str, _Records] = {}
        self._days: dict[int, set[str]] = {}
        self._judgements: dict[str, Judgement] = {}
        self._waiting: set[str] = set()  # judged, and not known
        self._changed: set[int] = set()
        self._first_day = 0

    def __len__(self) -> int:
        return len(self._facts)

    def add_alert(self, facts: Alerted) -> None:
        """Take in an alert's facts. Raises `ValueError` when its time cannot be read."""
        fact = Fact(
            facts.alert_id,
            sys.intern(facts.domain),
            facts.revision,
            _time_us(facts.raised_at),
            tuple(map(_interned, facts.raised_by)),
            sys.intern(facts.subject.get("type", "")),
        )
        if fact.day < self._first_day:
            return
        known = self._records(fact.alert_id)
        records = known.with_report(fact) if facts.by_report else known.with_own(fact)
        if records == known:
            return
        whole = records.fact
        if records.report is None and whole == records.own:
            self._several.pop(fact.alert_id, None)
        else:
            self._several[fact.alert_id] = records
        self._put(whole)

    def add_verdict(self, alert_id: str, verdict: Verdict) -> bool:
        """Take in a decision; False when it was there already."""
        if (fact := self._facts.get(alert_id)) is not None:
            alert_id = fact.alert_id  # one string for both: 80 bytes an alert
        before = self._judgements.get(alert_id, ())
        after = with_verdict(before, verdict)
        if after == before:
            return False
        self._judgements[alert_id] = after
        if fact is not None:
            self._changed.add(fact.day)
        else:
            self._waiting.add(alert_id)
        return True

    def forget(self, before_us: int) -> None:
        """Drop what was raised before that moment's UTC day and take in no more of it; with it what was decided about
        it, and what was decided before about alerts that nobody knows.
        """
        first_day = before_us // DAY_US
        if first_day <= self._first_day:
            return
        self._first_day = first_day
        for day in [day for day in self._days if day < first_day]:
            for alert_id in self._days.pop(day):
                del self._facts[alert_id]
                records = self._several.pop(alert_id, _Records())
                # as for a worker that begins to read now
                own, report = (
                    fact if fact is not None and fact.day >= first_day else None
                    for fact in (records.own, records.report)
                )
                if own is not None or report is not None:
                    left = _Records(own, report, None if own is None else own.raised_at_us)
                    if report is not None:
                        self._several[alert_id] = left
                    self._put(left.fact)
                else:
                    self._judgements.pop(alert_id, None)
            self._changed.add(day)
        begin_us = first_day * DAY_US
        for alert_id in [a for a in self._waiting if self._judgements[a][0].decided_at_us < begin_us]:
            self._waiting.discard(alert_id)
            del self._judgements[alert_id]

    @property
    def days(self) -> list[int]:
        """The UTC days that have alerts, in order."""
        return sorted(day for day, ids in self._days.items() if ids)

    def take_changed(self) -> set[int]:
        """The days whose cases are no longer what they were when this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    @property
    def unknown(self) -> int:
        """Alerts that were decided on and are not in the book: not yet, or no longer, or never raised."""
        return len(self._waiting)

    def ids(self, day: int) -> list[str]:
        """The alerts raised on a UTC day, in no order."""
        return list(self._days.get(day, ()))

    def case(self, alert_id: str) -> Case | None:
        """The alert and what was decided about it; None when it is not in the book."""
        fact = self._facts.get(alert_id)
        return None if fact is None else Case(fact, self._judgements.get(alert_id, ()))

    def cases(self, day: int) -> list[Case]:
        """The alerts raised on a UTC day, in no order."""
        return [case for alert_id in self.ids(day) if (case := self.case(alert_id))]

    def all_cases(self) -> Iterator[Case]:
        """Every alert, day by day, in no order within a day."""
        for day in self.days:
            yield from self.cases(day)

    def _records(self, alert_id: str) -> _Records:
        if (records := self._several.get(alert_id)) is not None:
            return records
        own = self._facts.get(alert_id)
        return _Records() if own is None else _Records(own, None, own.raised_at_us)

    def _put(self, fact: Fact) -> None:
        """Let this be what is known of an alert."""
        known = self._facts.get(fact.alert_id)
        if known is not None:
            self._days[known.day].discard(known.alert_id)
            self._changed.add(known.day)
        self._facts[fact.alert_id] = fact
        self._waiting.discard(fact.alert_id)
        self._days.setdefault(fact.day, set()).add(fact.alert_id)
        self._changed.add(fact.day)


def judged(cases: Iterable[Case]) -> list[Case]:
    """Those of the cases with a verdict that says one or the other."""
    return [case for case in cases if case.verdict in ("violation", "no_violation")]


def _rank(fact: Fact) -> tuple[int, int, bytes]:
    """Which record of one alert stands: the higher revision; of equal ones the later, as subscribers take it."""
    return fact.revision, fact.raised_at_us, _encode(fact.raised_by)


def _joined(own: Fact | None, report: Fact | None) -> Fact:
    """An alert from the facts of its event and those of a report on it; one of them is given."""
    if own is None:
        assert report is not None
        return report
    reports = () if report is None else tuple(by for by in report.raised_by if isinstance(by, ByReport))
    return structs.replace(own, raised_by=own.raised_by + reports) if reports else own


def _interned(by: RaisedBy) -> RaisedBy:
    """The same with its names shared: a domain has few models and rules, and a hundred thousand alerts of each."""
    if isinstance(by, ByModel):
        return ByModel(sys.intern(by.model), sys.intern(by.version), by.role, by.score, by.threshold)
    return ByRule(sys.intern(by.rule_id)) if isinstance(by, ByRule) else by


def _time_us(written: str) -> int:
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError(f"{written} has no time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)
