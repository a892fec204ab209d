"""The `rescore` record: an event whose models were away, with all that is needed to score it later (pure codec)."""

from __future__ import annotations

import base64
from typing import Literal

import msgspec

from streams.events import BadRecord, Position
from streams.screening import Case, Source
from streams.windows import Turn

FORMAT = 1


class RescoreItem(msgspec.Struct, frozen=True, kw_only=True):
    """The record as JSON. The event's bytes are kept as they came, in base64, because they may not be valid text."""

    format: int
    kind: Literal["message", "listing"]
    topic: str
    partition: int
    offset: int
    timestamp_us: int
    key: str | None
    value: str
    headers: tuple[tuple[str, str], ...]
    turns: tuple[Turn, ...]
    revision: int
    alerted: tuple[str, ...]
    put_aside_at_us: int
    attempts: int

    @property
    def source(self) -> Source:
        """The record that the event came in."""
        return Source(
            position=Position(self.topic, self.partition, self.offset),
            timestamp_us=self.timestamp_us,
            key=None if self.key is None else base64.b64decode(self.key),
            value=base64.b64decode(self.value),
            headers=tuple((name, base64.b64decode(value)) for name, value in self.headers),
        )


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RescoreItem)


def encode(case: Case, *, revision: int, alerted: frozenset[str], now_us: int) -> bytes:
    """The record that puts a case aside."""
    source = case.source
    return _encoder.encode(
        RescoreItem(
            format=FORMAT,
            kind=case.screened.subject.kind,
            topic=source.position.topic,
            partition=source.position.partition,
            offset=source.position.offset,
            timestamp_us=source.timestamp_us,
            key=None if source.key is None else _b64(source.key),
            value=_b64(source.value or b""),
            headers=tuple((name, _b64(value)) for name, value in source.headers),
            turns=case.turns,
            revision=revision,
            alerted=tuple(sorted(alerted)),
            put_aside_at_us=case.put_aside_at_us or now_us,
            attempts=case.attempts + 1,
        )
    )


def decode(value: bytes | None) -> RescoreItem:
    """Read a record that `encode` wrote. Raises `BadRecord`, so that a foreign record becomes a dead letter."""
    try:
        item = _decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord("bad_rescore", f"not a record that this engine wrote: {error}") from error
    if item.format != FORMAT:
        raise BadRecord(
            "unknown_version", f"rescore record of format {item.format}; this engine reads {FORMAT}"
        )
    return item


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
