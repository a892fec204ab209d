"""The record of an alert's facts without any text: what was raised, when and by what (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from streams.alerts import Role
from streams.reports import REVISIONS

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

    #: One of a thousand million: below that nothing is ever drawn, and estimates divide by it.
    share: Annotated[float, Meta(ge=1e-9, le=1.0)]


class ByReport(Struct, frozen=True, tag_field="by", tag="report", gc=False):
    """A customer reported it."""

    report_id: str


RaisedBy = ByRule | ByModel | ByPatrol | ByReport


class Alerted(Struct, frozen=True, kw_only=True, gc=False):
    """An alert in the topic `alerted`; of records with one key (see `key_of`) a higher `revision` replaces a lower."""

    format: Literal[1] = FORMAT
    alert_id: str
    domain: str
    revision: int
    raised_at: str
    event_at: str
    subject: dict[str, str]
    raised_by: tuple[RaisedBy, ...]

    @property
    def by_report(self) -> bool:
        """A customer's report made this record: by its revision, for such an alert may hold other evidence alone."""
        return self.revision >= REVISIONS


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
    """The facts of an alert as it is published. Raises `KeyError` for evidence of a kind that is not known here.

    Of a reported event's alert only the report: what else spoke against the event was credited when it came in.
    """
    facts = Alerted(
        alert_id=alert["alert_id"],
        domain=alert["domain"],
        revision=alert["revision"],
        raised_at=alert["raised_at"],
        event_at=alert["event_at"],
        subject=dict(alert["subject"]),
        raised_by=tuple(_raised_by(alert["evidence"])),
    )
    reports = tuple(by for by in facts.raised_by if isinstance(by, ByReport))
    return msgspec.structs.replace(facts, raised_by=reports) if facts.by_report and reports else facts


def key_of(facts: Alerted) -> bytes:
    """The record's key. A report's facts stand beside those of the event itself and never take their place."""
    return f"{facts.alert_id}/report".encode() if facts.by_report else facts.alert_id.encode()


def encode(facts: Alerted) -> bytes:
    """The record's value, JSON with its `format`."""
    return _encoder.encode(facts)


def decode(value: bytes | None) -> Alerted:
    """A record's value. Raises `msgspec.DecodeError` for what this version did not write."""
    if value is None:
        raise msgspec.DecodeError("the record has no value")
    try:
        return _decoder.decode(value)
    except RecursionError as error:  # the decoder follows brackets in fields that it skips, too
        raise msgspec.DecodeError("nested too deeply") from error


def _raised_by(evidence: Iterable[Mapping[str, Any]]) -> Iterable[RaisedBy]:
    for item in evidence:
        kind = _KEPT[item["by"]]
        yield kind(**{name: item[name] for name in kind.__struct_fields__})
