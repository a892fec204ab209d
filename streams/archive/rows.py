"""A record as a row: the columns that people ask for, beside the record as it was (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from streams.archive.rotation import Kept
from streams.events import BadRecord, decode_decision
from streams.kafka.dead_letters import NotADeadLetterError, parse
from streams.published import Alert, ListingSubject, MessageSubject, Prediction
from streams.stress.identity import of_a_stress_run

Row = dict[str, Any]


class UnreadableError(ValueError):
    """The record is not what its topic holds; it is archived all the same, with these columns empty."""


def row_of(dataset: str, record: Kept) -> tuple[Row, bool]:
    """The row of a record, and whether its columns could be filled. The bytes as they were are always in it.

    A record without a value (a tombstone of `alerted`) is readable and has no columns.
    """
    row: Row = {
        "partition": None,  # the file's, filled in where the file is known
        "offset": record.offset,
        "at": _moment(record.at_ms * 1000),
        "key": record.key,
        "value": record.value,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
    }
    if record.value is None and dataset != "deadletter":
        return row, True
    try:
        return row | _COLUMNS[dataset](record), True
    except UnreadableError:
        return row, False


def _prediction(record: Kept) -> Row:
    body = _decoded(record, Prediction)
    return {
        **_subject(body.subject),
        "content": body.content,
        "event_at": _time(body.event_at),
        "scored_at": _time(body.scored_at),
        "source_topic": body.source.topic,
        "source_partition": body.source.partition,
        "source_offset": body.source.offset,
        "scores": [msgspec.to_builtins(score) for score in body.scores],
        "rules": [msgspec.to_builtins(rule) for rule in body.rules],
        "alerts": list(body.alerts),
        "notes": list(body.notes),
        "ruleset": body.ruleset,
        "policy": body.policy,
    }


def _alert(record: Kept) -> Row:
    body = _decoded(record, Alert)
    return {
        **_subject(body.subject),
        "alert_id": body.alert_id,
        "revision": body.revision,
        "severity": body.severity,
        "raised_at": _time(body.raised_at),
        "event_at": _time(body.event_at),
        "evidence": [msgspec.to_builtins(item) for item in body.evidence],
        "notes": list(body.notes),
        "ruleset": body.ruleset,
        "policy": body.policy,
    }


def _decision(record: Kept) -> Row:
    try:
        decoded = decode_decision(
            record.value, key=record.key, timestamp_us=record.at_ms * 1000, headers=record.headers
        )
    except BadRecord as error:
        raise UnreadableError(str(error)) from error
    event = decoded.event
    return {
        "alert_id": event.alert_id,
        "verdict": event.verdict,
        "moderator_id": event.moderator_id,
        "decided_at": _moment(decoded.at_us),
        "domain": event.domain,
        "reason": event.reason,
    }


class _Alerted(msgspec.Struct, kw_only=True):
    """What is asked of a record of `alerted`; the rest stays in its bytes."""

    alert_id: str
    domain: str
    revision: int
    raised_at: str
    event_at: str


def _alerted(record: Kept) -> Row:
    body = _decoded(record, _Alerted)
    return {
        "alert_id": body.alert_id,
        "domain": body.domain,
        "revision": body.revision,
        "raised_at": _time(body.raised_at),
        "event_at": _time(body.event_at),
    }


def _dead_letter(record: Kept) -> Row:
    try:
        letter = parse(record.key, record.value, record.headers)
    except NotADeadLetterError as error:
        raise UnreadableError(str(error)) from error
    return {
        "reason": letter.reason,
        "detail": letter.detail,
        "source_topic": letter.topic,
        "source_partition": letter.partition,
        "source_offset": letter.offset,
        "put_aside_at": _moment(letter.at_us),
    }


_COLUMNS: Final[Mapping[str, Callable[[Kept], Row]]] = {
    "predictions": _prediction,
    "alerts": _alert,
    "decisions": _decision,
    "alerted": _alerted,
    "deadletter": _dead_letter,
}


def _decoded(record: Kept, kind: type[Any]) -> Any:  # noqa: ANN401 - of the type asked for
    try:
        return msgspec.json.decode(record.value or b"", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(str(error)) from error


def _subject(subject: MessageSubject | ListingSubject) -> Row:
    said = msgspec.to_builtins(subject)
    ids = [value for name, value in said.items() if name != "type"]
    return {f"subject_{name}": value for name, value in said.items()} | {"stress": of_a_stress_run(ids)}


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UnreadableError(f"{text[:40]!r} is no time") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, tz=UTC)
