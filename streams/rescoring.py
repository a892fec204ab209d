"""The `rescore` record: an event whose models were away, with all that is needed to score it later (pure codec)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from streams.events import LATEST_US, BadRecord, Position, without_values
from streams.screening import Case, Source
from streams.windows import WINDOW, Turn

FORMAT = 1

_Offset = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
_Moment = Annotated[int, msgspec.Meta(ge=0, le=LATEST_US)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)]
#: Revisions of reports go with their offset; every reader of JSON holds integers up to here.
_Revision = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class RescoreItem(msgspec.Struct, frozen=True, kw_only=True):
    """The record as JSON. The event's bytes are kept as they came, in base64, because they may not be valid text.

    The ranges are those that the rest of the engine can work with: whoever may write to the topic could otherwise
    stop every worker with one record.
    """

    format: int
    kind: Literal["message", "listing", "report"]
    topic: str
    partition: _Count
    offset: _Offset
    timestamp_us: _Moment
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    turns: tuple[Turn, ...]
    revision: _Revision
    alerted: tuple[str, ...]
    put_aside_at_us: _Moment
    attempts: _Count

    @property
    def source(self) -> Source:
        """The record that the event came in."""
        return Source(
            position=Position(self.topic, self.partition, self.offset),
            timestamp_us=self.timestamp_us,
            key=self.key,
            value=self.value,
            headers=self.headers,
        )


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RescoreItem)


def encode(case: Case, *, revision: int, alerted: frozenset[str], now_us: int) -> bytes:
    """The record that puts a case aside."""
    source = case.source
    return _encoder.encode(
        RescoreItem(
            format=FORMAT,
            kind=case.screened.subject.kind if case.report is None else "report",
            topic=source.position.topic,
            partition=source.position.partition,
            offset=source.position.offset,
            timestamp_us=source.timestamp_us,
            key=source.key,
            value=source.value or b"",
            headers=source.headers,
            # A report brings its conversation along.
            turns=case.turns if case.report is None else (),
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
        what = "bytes that are no UTF-8" if isinstance(error, UnicodeDecodeError) else without_values(error)
        raise BadRecord("bad_rescore", f"not a record that this engine wrote: {what}") from error
    except RecursionError as error:  # the decoder follows brackets in fields that it skips, too
        raise BadRecord("bad_rescore", "not a record that this engine wrote: nested too deeply") from error
    if item.format != FORMAT:
        raise BadRecord(
            "unknown_version", f"rescore record of format {item.format}; this engine reads {FORMAT}"
        )
    if len(item.turns) > WINDOW:
        raise BadRecord("bad_rescore", f"{len(item.turns)} turns; a window has at most {WINDOW}")
    return item
