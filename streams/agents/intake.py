"""Intake: from the records of a delivery to rows of a lane, without blocking the event loop for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from streams import metrics
from streams.agents.lane import Delivery, Lane
from streams.agents.screening_lane import Refused, Row
from streams.events import LATEST_US, BadRecord, Decision, Decoded, Listing, Message, Position
from streams.kafka.dead_letters import DeadLetter
from streams.reports import Report
from streams.screening import Source

#: Records examined before others get the event loop: at some 150 µs each, 32 hold it for 5 ms.
RECORDS_AT_A_TIME = 32


def source_of(record: Any) -> Source:  # noqa: ANN401 - aiokafka's ConsumerRecord is generic in a way mypy cannot follow
    """The parts of an aiokafka `ConsumerRecord` that matter.

    Kafka keeps any 64-bit timestamp that a producer states; one that no calendar has is brought into range.
    """
    return Source(
        position=Position(record.topic, record.partition, record.offset),
        timestamp_us=min(max(0, int(record.timestamp or 0) * 1000), LATEST_US),
        key=record.key,
        value=record.value,
        headers=tuple((name, value or b"") for name, value in record.headers or ()),
    )


def delivery_of(message: Any) -> Delivery:  # noqa: ANN401 - Faust's ConsumerMessage
    """The delivery that a batch message of Faust stands for."""
    return Delivery(
        topic=message.topic,
        partition=message.partition,
        last_offset=message.offset,
        generation_id=message.generation_id,
        left=len(message.value),
        size_bytes=sum(len(record.value or b"") for record in message.value),
    )


async def take_in(
    delivery: Delivery,
    records: Sequence[Any],
    *,
    lane: Lane[Row, Any],
    examine: Callable[[Source], Row],
    max_record_bytes: int,
) -> None:
    """Examine a delivery's records in offset order and put them into the lane, until its partition is taken away.

    Examining changes windows: what is examined later than that would leave a state without its past in the table, newer
    than what the next owner writes.
    """
    await lane.begin(delivery)
    metrics.EVENTS.labels(topic=delivery.topic).inc(len(records))
    for start in range(0, len(records), RECORDS_AT_A_TIME):
        if not lane.is_current(delivery):
            lane.abandon(delivery, len(records) - start)
            return
        began = time.perf_counter()
        rows = [
            examine_or_refuse(source_of(record), examine, max_record_bytes)
            for record in records[start : start + RECORDS_AT_A_TIME]
        ]
        metrics.STAGE_SECONDS.labels(stage="examine").observe(time.perf_counter() - began)
        await lane.put(delivery, rows)
        await asyncio.sleep(0)


def examine_or_refuse(source: Source, examine: Callable[[Source], Row], max_record_bytes: int) -> Row:
    """The row of a record: a case, or a dead letter with the reason."""
    try:
        check_size(source, max_record_bytes)
        return examine(source)
    except BadRecord as refusal:
        return Refused(refused(source, refusal, now_us=time.time_ns() // 1000))


def check_size(source: Source, max_record_bytes: int) -> None:
    """Raises `BadRecord`."""
    if (size := size_of(source)) > max_record_bytes:
        raise BadRecord("too_large", f"{size} bytes; the limit is {max_record_bytes}")


def size_of(source: Source) -> int:
    """Bytes of a record with its key and headers: `rescore` carries all of them along, a third larger in base64."""
    headers = sum(len(name) + len(value) for name, value in source.headers)
    return len(source.value or b"") + len(source.key or b"") + headers


def refused(source: Source, refusal: BadRecord, *, now_us: int) -> DeadLetter:
    """The dead letter of a record that could not be used."""
    return DeadLetter(
        reason=refusal.reason,
        detail=refusal.detail,
        topic=source.position.topic,
        partition=source.position.partition,
        offset=source.position.offset,
        at_us=now_us,
        key=source.key,
        value=source.value,
        headers=source.headers,
    )


def count_unknown_fields(
    topic: str, decoded: Decoded[Message] | Decoded[Listing] | Decoded[Report] | Decoded[Decision]
) -> None:
    """Count fields outside the contract; names are cut so that a hostile producer cannot flood the metrics."""
    for name in decoded.unknown_fields[:MAX_UNKNOWN_NAMES]:
        known = name if len(_seen_names) < MAX_UNKNOWN_NAMES or name in _seen_names else "(other)"
        _seen_names.add(known)
        metrics.UNKNOWN_FIELDS.labels(topic=topic, field=known[:64]).inc()


#: Distinct unknown field names that get a time series of their own.
MAX_UNKNOWN_NAMES = 50
_seen_names: set[str] = set()
