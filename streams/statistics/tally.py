"""What one worker process counts as it goes, hour by hour, until it is written to the topic `statistics` (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from streams.alerts import ModelEvidence, Role, Screened
from streams.statistics.bins import bin_of
from streams.statistics.inputs import facts_of
from streams.statistics.records import AlertCounts, Counts, InputCounts, ScoreCounts, hour_of, series_of
from streams.stress.identity import of_a_stress_run
from streams.vocabulary import Kind

_Model = tuple[str, Role, str, int]


@dataclass(slots=True)
class _Scores:
    """By bin; see `records.ScoreCounts`."""

    alone: Counter[int] = field(default_factory=Counter)
    with_rule: Counter[int] = field(default_factory=Counter)
    failed: int = 0


@dataclass(slots=True)
class _Hour:
    """`written`: events of each series when it was last taken."""

    scores: defaultdict[_Model, _Scores] = field(default_factory=lambda: defaultdict(_Scores))
    by_rules: Counter[str] = field(default_factory=Counter)
    by_models: Counter[str] = field(default_factory=Counter)
    inputs: defaultdict[Kind, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    written: dict[tuple[str, ...], int] = field(default_factory=dict)


class Tally:
    """Counts of one process under its instance id, which no other process ever has."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._hours: dict[int, _Hour] = {}
        self._newest = 0

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
        # A clock that goes back must not open an hour anew: its record would have fewer events than the one written.
        self._newest = max(self._newest, hour_of(now_us))
        hour = self._hours.setdefault(self._newest, _Hour())
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

    def taken(self) -> list[Counts]:
        """The counts that have grown since the last call, as records; hours that are over are then forgotten."""
        grown = []
        for number, hour in sorted(self._hours.items()):
            for record in self._records(number, hour):
                series = series_of(record)
                if record.events > hour.written.get(series, 0):
                    hour.written[series] = record.events
                    grown.append(record)
        self._hours = {number: hour for number, hour in self._hours.items() if number == self._newest}
        return grown

    def _records(self, number: int, hour: _Hour) -> Iterator[Counts]:
        instance = self._instance
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
