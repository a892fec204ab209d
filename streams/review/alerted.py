"""The record of an alert's facts without any text: what was raised, when and by what (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from streams.alerts import Role

FORMAT: Final = 1


class ByRule(Struct, frozen=True, tag_field="by", tag="rule", gc=False):
    """A rule fired."""

    rule_id: str


class ByModel(Struct, frozen=True, tag_field="by", tag="model", gc=False):
    """A model's score reached its threshold."""

    model: str
    version: str
    role: Role
    score: float
    threshold: float


class ByPatrol(Struct, frozen=True, tag_field="by", tag="patrol", gc=False):
    """Nothing flagged the event; it was drawn for review. `share` is the chance that it had."""

    share: float


class ByReport(Struct, frozen=True, tag_field="by", tag="report", gc=False):
    """A customer reported it."""

    report_id: str


RaisedBy = ByRule | ByModel | ByPatrol | ByReport


class Alerted(Struct, frozen=True, kw_only=True, gc=False):
    """An alert in the topic `alerted`, keyed by `alert_id`; a higher `revision` replaces a lower one."""

    format: Literal[1] = FORMAT
    alert_id: str
    domain: str
    revision: int
    raised_at: str
    event_at: str
    subject: dict[str, str]
    raised_by: tuple[RaisedBy, ...]


_decoder = msgspec.json.Decoder(Alerted)
_encoder = msgspec.json.Encoder()
#: What is kept of a piece of evidence, by what gave it: never a text.
_KEPT: Final = {
    "rule": ByRule,
    "model": ByModel,
    "patrol": ByPatrol,
    "report": ByReport,
}


def facts_of(alert: Mapping[str, Any]) -> Alerted:
    """The facts of an alert as it is published. Raises `KeyError` for evidence of a kind that is not known here."""
    return Alerted(
        alert_id=alert["alert_id"],
        domain=alert["domain"],
        revision=alert["revision"],
        raised_at=alert["raised_at"],
        event_at=alert["event_at"],
        subject=dict(alert["subject"]),
        raised_by=tuple(_raised_by(alert["evidence"])),
    )


def encode(facts: Alerted) -> bytes:
    """The record's value, JSON with its `format`."""
    return _encoder.encode(facts)


def decode(value: bytes | None) -> Alerted:
    """A record's value. Raises `msgspec.DecodeError` for what this version did not write."""
    if value is None:
        raise msgspec.DecodeError("the record has no value")
    return _decoder.decode(value)


def _raised_by(evidence: Iterable[Mapping[str, Any]]) -> Iterable[RaisedBy]:
    for item in evidence:
        kind = _KEPT[item["by"]]
        yield kind(**{name: item[name] for name in kind.__struct_fields__})
