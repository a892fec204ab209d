"""The dead letter: a record that could not be used, its original bytes, and why and where in headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from streams.events import Position, rfc3339

REASON = "sekisho.reason"
DETAIL = "sekisho.detail"
TOPIC = "sekisho.topic"
PARTITION = "sekisho.partition"
OFFSET = "sekisho.offset"
AT = "sekisho.at"
TRUNCATED = "sekisho.truncated"
_OWN = frozenset({REASON, DETAIL, TOPIC, PARTITION, OFFSET, AT, TRUNCATED})

#: A detail is a sentence; headers count towards the broker's limit, so it may not grow with the record.
MAX_DETAIL_CHARACTERS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Headers = tuple[tuple[str, bytes], ...]


class NotADeadLetterError(ValueError):
    """A record without the headers of a dead letter."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be used.

    `reason` is a stable code, `detail` a sentence without personal data, `topic` the full name of the topic it came
    from, `at_us` when it was put aside (microseconds since 1970, kept to the millisecond). `headers` are the
    record's own. `truncated_from` is the value's original size in bytes when only its beginning is here.
    """

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    at_us: int
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()
    truncated_from: int | None = None

    @property
    def position(self) -> Position:
        """Where the original stands."""
        return Position(self.topic, self.partition, self.offset)


def headers_of(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """The original's headers, then Sekisho's own; an original header of the same name gives way."""
    own = [
        (REASON, letter.reason.encode()),
        (DETAIL, letter.detail[:MAX_DETAIL_CHARACTERS].encode("utf-8", "replace")),
        (TOPIC, letter.topic.encode()),
        (PARTITION, str(letter.partition).encode()),
        (OFFSET, str(letter.offset).encode()),
        (AT, rfc3339(letter.at_us).encode()),
    ]
    if letter.truncated_from is not None:
        own.append((TRUNCATED, str(letter.truncated_from).encode()))
    return [(name, value) for name, value in letter.headers if name not in _OWN] + own


def fit(letter: DeadLetter, max_value_bytes: int) -> DeadLetter:
    """The letter with its value cut to what the broker takes; the original size is kept in `truncated_from`."""
    if letter.value is None or len(letter.value) <= max_value_bytes:
        return letter
    size = letter.truncated_from if letter.truncated_from is not None else len(letter.value)
    return replace(letter, value=letter.value[:max_value_bytes], truncated_from=size)


def bare(letter: DeadLetter) -> DeadLetter:
    """The letter without the original's key and headers, which can be megabytes too; marked as not whole."""
    size = letter.truncated_from if letter.truncated_from is not None else len(letter.value or b"")
    return replace(letter, key=None, headers=(), truncated_from=size)


def parse(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> DeadLetter:
    """The dead letter that a record of the `deadletter` topic holds. Raises `NotADeadLetterError`."""
    own = {name: content for name, content in headers if name in _OWN}
    missing = [name for name in (REASON, TOPIC, PARTITION, OFFSET, AT) if name not in own]
    if missing:
        raise NotADeadLetterError(f"no header {missing[0]}: something other than Sekisho wrote this record")
    try:
        return DeadLetter(
            reason=own[REASON].decode(),
            detail=own.get(DETAIL, b"").decode("utf-8", "replace"),
            topic=own[TOPIC].decode(),
            partition=int(own[PARTITION]),
            offset=int(own[OFFSET]),
            at_us=_microseconds(own[AT].decode()),
            key=key,
            value=value,
            headers=tuple((name, content) for name, content in headers if name not in _OWN),
            truncated_from=int(own[TRUNCATED]) if TRUNCATED in own else None,
        )
    except ValueError as error:
        raise NotADeadLetterError(f"a header cannot be read: {error}") from error


def _microseconds(stated: str) -> int:
    """Exact: a float of seconds since 1970 would be off by a microsecond here and there."""
    return (datetime.fromisoformat(stated) - _EPOCH) // timedelta(microseconds=1)
