"""Reading topics without a consumer group: from a time on, and up to what is there now."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.clients import (
    FETCH_MAX_WAIT_MS,
    REQUEST_TIMEOUT_MS,
    BrokerUnreachableError,
    existing_topics,
)


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
    """Records of each partition from its start up to, not including, its end; leaves the consumer at the ends."""
    for partition, offset in starts.items():
        client.seek(partition, offset)
    unread = {partition for partition, offset in starts.items() if offset < ends[partition]}
    while unread:
        batches = await client.getmany(*unread, timeout_ms=1000)
        for partition, records in batches.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        for partition in list(unread):
            # the position, not the last record: a compacted or transactional log may end in offsets without records
            if await client.position(partition) >= ends[partition]:
                unread.discard(partition)
    for partition, offset in ends.items():
        client.seek(partition, offset)
