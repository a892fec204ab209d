"""The records of the topic `statistics`: what one worker process counted in one UTC hour, cumulative (pure).

A process counts under an instance id of its own, made at its start, so its records never meet another's. It writes
each count again while it grows; of two records under one key the one with more events is the later one, whatever the
order in which they are read. A reader keeps that one of each key and adds them up over the instances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from streams.alerts import Role
from streams.events import LATEST_US
from streams.statistics.bins import HIGHEST_BIN, LOWEST_BIN
from streams.vocabulary import Kind

FORMAT: Final = 1
HOUR_US: Final = 3600 * 1_000_000

Name = TypeVar("Name", int, str)

Hour = Annotated[
    int,
    Meta(ge=0, le=LATEST_US // HOUR_US, description="Hours since 1970 in UTC, when the event was concluded"),
]
Bin = Annotated[int, Meta(ge=LOWEST_BIN, le=HIGHEST_BIN)]
#: Of one process in one hour: 74,000 events a second. Sixteen bins of so many fit together into the 32 bits of drift's.
Count = Annotated[int, Meta(ge=0, le=2**28 - 1)]


class ScoreCounts(Struct, frozen=True, kw_only=True, tag_field="of", tag="scores", omit_defaults=True):
    """Scores that one model gave in one domain, by bin (`bins.bin_of`).

    `alone`: events on which no active rule of the domain fired, so that the model decides whether there is an alert;
    `with_rule`: events that alert whatever the score is. Drift looks at the sum of both.
    """

    instance: str
    hour: Hour
    domain: str
    model: str
    version: int
    role: Role
    alone: dict[Bin, Count] = {}
    with_rule: dict[Bin, Count] = {}
    failed: Annotated[Count, Meta(description="Events that the model could not score")] = 0

    @property
    def events(self) -> int:
        """All events counted."""
        return sum(self.alone.values()) + sum(self.with_rule.values()) + self.failed


class AlertCounts(Struct, frozen=True, kw_only=True, tag_field="of", tag="alerts", omit_defaults=True):
    """Events of a domain by what raised their alert: rules (with or without a model), or models alone."""

    instance: str
    hour: Hour
    domain: str
    by_rules: Count = 0
    by_models: Count = 0

    @property
    def events(self) -> int:
        """All events counted."""
        return self.by_rules + self.by_models


class InputCounts(Struct, frozen=True, kw_only=True, tag_field="of", tag="inputs", omit_defaults=True):
    """Facts of the inputs of one kind: each a name and how often it was so (`inputs.facts_of`)."""

    instance: str
    hour: Hour
    kind: Kind
    facts: dict[str, Count] = {}

    @property
    def events(self) -> int:
        """All events counted."""
        return self.facts.get("events", 0)


Counts = ScoreCounts | AlertCounts | InputCounts


class _Written(Struct, frozen=True):
    """A record as it stands in the topic."""

    format: Literal[1]
    counts: Counts


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Written)


def hour_of(at_us: int) -> int:
    """The UTC hour of a moment, counted from 1970."""
    return at_us // HOUR_US


def series_of(counts: Counts) -> tuple[str, ...]:
    """What is counted, whoever counted it and when: records of one series may be added up."""
    match counts:
        case ScoreCounts():
            return "scores", counts.domain, counts.role, counts.model, str(counts.version)
        case AlertCounts():
            return "alerts", counts.domain
        case InputCounts():
            return "inputs", counts.kind


def key_of(counts: Counts) -> bytes:
    """The record's key: `<instance>/<hour>/` and the series, e.g. `3f0c…/490123/alerts/harassment`."""
    return "/".join((counts.instance, str(counts.hour), *series_of(counts))).encode()


def encode(counts: Counts) -> bytes:
    """The record's value."""
    return _encoder.encode(_Written(FORMAT, counts))


def decode(value: bytes) -> Counts:
    """Reads a record's value.

    Raises `msgspec.DecodeError` (or its subclass) and `UnicodeDecodeError` for what this engine did not write, and
    `RecursionError` for what is nested deeper than the decoder goes.
    """
    return _decoder.decode(value).counts


def later(one: Counts, other: Counts) -> Counts:
    """Of two records of one key the later one: counts of a process only grow. Equal ones are the same."""
    return max(one, other, key=lambda counts: counts.events)


def summed(several: Sequence[Counts]) -> Counts:
    """The sum of records of one series (at least one), of any instances and hours; it carries those of the first."""
    first = several[0]
    match first:
        case ScoreCounts():
            scores = [one for one in several if isinstance(one, ScoreCounts)]
            return structs.replace(
                first,
                alone=_added(one.alone for one in scores),
                with_rule=_added(one.with_rule for one in scores),
                failed=sum(one.failed for one in scores),
            )
        case AlertCounts():
            alerts = [one for one in several if isinstance(one, AlertCounts)]
            return structs.replace(
                first,
                by_rules=sum(one.by_rules for one in alerts),
                by_models=sum(one.by_models for one in alerts),
            )
        case InputCounts():
            inputs = [one for one in several if isinstance(one, InputCounts)]
            return structs.replace(first, facts=_added(one.facts for one in inputs))


def _added(several: Iterable[Mapping[Name, int]]) -> dict[Name, int]:
    total: Counter[Name] = Counter()
    for one in several:
        total.update(one)
    return dict(total)
