"""What one worker process counts as it goes, hour by hour, until it is written to the topic `statistics` (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from streams.alerts import ModelEvidence, Role, Screened
from streams.statistics.bins import bin_of
from streams.statistics.inputs import facts_of
from streams.statistics.records import (
    HOUR_US,
    AlertCounts,
    Counts,
    InputCounts,
    ScoreCounts,
    hour_of,
    series_of,
)
from streams.stress.identity import of_a_stress_run
from streams.vocabulary import Kind

_Model = tuple[str, Role, str, int]

#: A clock that goes back by less is taken for one that is set right; the hour that is open stays open so long.
MOST_BACK_US = HOUR_US
#: Hours that wait to be written while Kafka refuses them; what is older helps no budget any more.
KEPT_HOURS = 48


@dataclass(slots=True)
class _Scores:
    """By bin; see `records.ScoreCounts`."""

    alone: Counter[int] = field(default_factory=Counter)
    with_rule: Counter[int] = field(default_factory=Counter)
    failed: int = 0


@dataclass(slots=True)
class _Hour:
    """`written`: events of each series in what Kafka has of it."""

    scores: defaultdict[_Model, _Scores] = field(default_factory=lambda: defaultdict(_Scores))
    by_rules: Counter[str] = field(default_factory=Counter)
    by_models: Counter[str] = field(default_factory=Counter)
    inputs: defaultdict[Kind, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    written: dict[tuple[str, ...], int] = field(default_factory=dict)


class Tally:
    """Counts of one process under its instance id, which no other process ever has.

    The counts of an hour that is over stay until `note_written` has heard of all of them.
    """

    def __init__(self, instance: str) -> None:
        self._base = self._instance = instance
        self._restarts = 0
        self._hours: dict[tuple[str, int], _Hour] = {}
        self._newest_us = 0

    def count(
        self,
        screened: Screened,
        models: Sequence[ModelEvidence],
        notes: tuple[str, ...] = (),
        *,
        now_us: int,
    ) -> None:
        """Count one event whose prediction is written. Events of a stress run are no traffic and are left out."""
        if of_a_stress_run(value for _, value in screened.subject.ids):
            return
        hour = self._hour_at(now_us)
        by_rules = {rule.domain for rule in screened.rules if rule.raises_alert}
        by_models: set[str] = set()
        for item in models:
            counted = hour.scores[item.domain, item.role, item.model, item.version]
            if item.score is None:
                counted.failed += 1
                continue
            (counted.with_rule if item.domain in by_rules else counted.alone)[bin_of(item.score)] += 1
            if item.raises_alert:
                by_models.add(item.domain)
        hour.by_rules.update(by_rules)
        hour.by_models.update(by_models - by_rules)
        inputs = hour.inputs[screened.subject.kind]
        for name, number in facts_of(screened, notes):
            inputs[name] += number

    def grown(self) -> list[Counts]:
        """The counts that Kafka does not have yet, as records; say `note_written` when it has."""
        return [
            record
            for (instance, number), hour in sorted(self._hours.items())
            for record in self._records(instance, number, hour)
            if record.events > hour.written.get(series_of(record), 0)
        ]

    def note_written(self, records: Iterable[Counts]) -> None:
        """Kafka has these; hours that are over and written are forgotten."""
        for record in records:
            if (hour := self._hours.get((record.instance, record.hour))) is not None:
                series = series_of(record)
                hour.written[series] = max(record.events, hour.written.get(series, 0))
        waiting = {(record.instance, record.hour) for record in self.grown()}
        open_now = self._instance, hour_of(self._newest_us)
        self._hours = {
            place: hour for place, hour in self._hours.items() if place in waiting or place == open_now
        }

    def _hour_at(self, now_us: int) -> _Hour:
        """The hour to count in.

        A clock that goes back must not open an hour anew: its record would have fewer events than the one written. So
        the newest hour stays open; but after a clock that was far ahead everything would count in a future that no
        budget looks at for as long. Then counting begins anew, under another instance id.
        """
        if now_us < self._newest_us - MOST_BACK_US:
            self._restarts += 1
            self._instance = f"{self._base}-{self._restarts}"
            self._newest_us = 0
        self._newest_us = max(self._newest_us, now_us)
        place = self._instance, hour_of(self._newest_us)
        if place not in self._hours:
            self._hours[place] = _Hour()
            while len(self._hours) > KEPT_HOURS:
                del self._hours[next(iter(self._hours))]
        return self._hours[place]

    @staticmethod
    def _records(instance: str, number: int, hour: _Hour) -> Iterator[Counts]:
        for (domain, role, model, version), counted in hour.scores.items():
            yield ScoreCounts(
                instance=instance, hour=number, domain=domain, model=model, version=version, role=role,
                alone=dict(counted.alone), with_rule=dict(counted.with_rule), failed=counted.failed,
            )  # fmt: skip
        for domain in hour.by_rules.keys() | hour.by_models.keys():
            yield AlertCounts(
                instance=instance, hour=number, domain=domain,
                by_rules=hour.by_rules[domain], by_models=hour.by_models[domain],
            )  # fmt: skip
        for kind, facts in hour.inputs.items():
            yield InputCounts(instance=instance, hour=number, kind=kind, facts=dict(facts))
