"""Reading topics without a consumer group: from a time on, and up to what is there now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.clients import (
    FETCH_MAX_WAIT_MS,
    REQUEST_TIMEOUT_MS,
    BrokerUnreachableError,
    existing_topics,
)

#: A log that gives nothing and moves nowhere for so long will not reach its end, in seconds. The longest honest
#: silence is a broker's restart.
STALLED_S = 60.0


class StandsStillError(BrokerUnreachableError):
    """Reading stopped before the end that the log had when reading began."""

    advice = "Was the topic made anew or shortened meanwhile, or is the broker away? Try again"


async def assign_all(client: AIOKafkaConsumer, topics: Collection[str]) -> list[TopicPartition]:
    """All partitions of those of the topics that exist, assigned to the (group-less) consumer."""
    existing = await existing_topics(client)
    found = [
        TopicPartition(topic, partition)
        for topic in sorted(existing.keys() & set(topics))
        for partition in sorted(existing[topic])
    ]
    client.assign(found)
    return found


async def present_ends(
    client: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offset after the last record of each assigned partition; leaves the consumer standing there.

    ListOffsets alone would do on Apache Kafka, but Tansu answers with the *base* offset of the last batch + 1,
    which is too low. The high watermark of a fetch response is right on every broker, so one fetch confirms it.
    Raises `BrokerUnreachableError` when no fetch is answered.
    """
    ends = dict(await client.end_offsets(list(partitions)))
    for partition, offset in ends.items():
        client.seek(partition, offset)
    unconfirmed = set(partitions)
    deadline = time.monotonic() + REQUEST_TIMEOUT_MS / 1000
    while unconfirmed:
        await client.getmany(timeout_ms=2 * FETCH_MAX_WAIT_MS)
        for partition in list(unconfirmed):
            mark = client.highwater(partition)
            if mark is not None:
                ends[partition] = max(mark, ends[partition])
                unconfirmed.discard(partition)
        if unconfirmed and time.monotonic() > deadline:
            raise BrokerUnreachableError(
                f"no answer about {len(unconfirmed)} partitions within {REQUEST_TIMEOUT_MS // 1000} s, "
                f"e.g. partition {next(iter(unconfirmed)).partition} of {next(iter(unconfirmed)).topic}"
            )
    for partition, offset in ends.items():
        client.seek(partition, offset)
    return ends


async def starts_since(
    client: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], since_us: int | None
) -> dict[TopicPartition, int]:
    """Where to begin so as to see every record from a time on (microseconds since 1970), None for all that is kept.

    Only a place to begin: brokers may answer with an earlier offset (Tansu does), so the reader compares each
    record's own timestamp.
    """
    if since_us is None:
        return dict(await client.beginning_offsets(list(ends)))
    found = await client.offsets_for_times(dict.fromkeys(ends, since_us // 1000))
    return {
        partition: answer.offset if (answer := found[partition]) else end for partition, end in ends.items()
    }


async def records_until_now(
    client: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    """Records of each partition from its start up to, not including, its end; leaves the consumer at the ends.

    Raises `StandsStillError` when nothing comes any more before the ends: of a topic that was made anew, there may
    never be as much again.
    """
    for partition, offset in starts.items():
        client.seek(partition, offset)
    unread = {partition for partition, offset in starts.items() if offset < ends[partition]}
    positions: dict[TopicPartition, int] = {}
    moved_at_s = time.monotonic()
    while unread:
        batches = await client.getmany(*unread, timeout_ms=1000)
        for partition, records in batches.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        # the position, not the last record: a compacted or transactional log may end in offsets without records
        before, positions = positions, await _positions(client, unread)
        if batches or positions != before:
            moved_at_s = time.monotonic()
        elif time.monotonic() - moved_at_s > STALLED_S:
            raise _stands_still(unread, ends)
        unread = {partition for partition in unread if positions[partition] < ends[partition]}
    for partition, offset in ends.items():
        client.seek(partition, offset)


async def _positions(
    client: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where the consumer stands. While it has to ask the broker for that, it waits, with a broker that is away for ever."""
    found: dict[TopicPartition, int] = {}
    try:
        async with asyncio.timeout(STALLED_S):
            for partition in partitions:
                found[partition] = await client.position(partition)
    except TimeoutError:
        raise _stands_still(set(partitions) - found.keys(), {}) from None
    return found


def _stands_still(
    partitions: Collection[TopicPartition], ends: Mapping[TopicPartition, int]
) -> StandsStillError:
    one = min(partitions)
    upto = f" up to offset {ends[one]}" if one in ends else ""
    return StandsStillError(
        f"{len(partitions)} partitions are not read to the end: for {STALLED_S:.0f} s nothing has come "
        f"of partition {one.partition} of {one.topic}{upto}"
    )
