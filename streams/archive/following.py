"""From Kafka into the archive: up to what is there now, or on and on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.archive.layout import topics_of
from streams.archive.rotation import Kept
from streams.archive.sink import Sink
from streams.kafka.clients import consumer, existing_topics
from streams.kafka.reading import assign_all, present_ends
from streams.settings import Settings

#: How long a read waits for records before the files' ages are looked at again.
_POLL_MS: Final = 500
#: A new domain's topic is found after this, in seconds.
_LOOK_S: Final = 30.0


async def archive_topics(
    settings: Settings, datasets: Collection[str], sink: Sink, *, follow: bool, stop: asyncio.Event
) -> None:
    """Archive what the topics of these data sets hold, and with `follow` what comes, until `stop` is set.

    All that was read is in files when this returns. Raises `BrokerUnreachableError`, and what `Sink` raises; what was
    not written then is read again by the next run.
    """
    async with consumer(settings) as client:
        ends = await _open(client, settings, datasets, sink)
        unread, looked = set(ends), time.monotonic()
        while not stop.is_set() and (follow or unread):
            if follow and time.monotonic() - looked > _LOOK_S:
                await _open(client, settings, datasets, sink)
                looked = time.monotonic()
            batches = await _next(client)
            for partition, records in batches.items():
                await _take(client, sink, partition, records)
            await asyncio.to_thread(sink.close_due)
            for partition in list(unread):
                # the position, not the last record: a log may end in offsets without records
                if await client.position(partition) >= ends[partition]:
                    unread.discard(partition)
        await asyncio.to_thread(sink.close_all)


async def _open(
    client: AIOKafkaConsumer, settings: Settings, datasets: Collection[str], sink: Sink
) -> dict[TopicPartition, int]:
    """Have the consumer stand where the archive goes on, in every partition there is; the ends of those, if any is new."""
    existing = await existing_topics(client)
    names = topics_of(datasets, existing, settings.topic_prefix)
    before = client.assignment()
    if before == {TopicPartition(name, number) for name in names for number in existing[name]}:
        return {}
    partitions = await assign_all(client, names)
    ends = await present_ends(client, partitions)
    begins = await client.beginning_offsets(partitions)
    for partition in partitions:
        if partition in before:
            client.seek(partition, sink.next_offset(partition.topic, partition.partition))
            continue
        start = await asyncio.to_thread(
            sink.opened,
            partition.topic,
            names[partition.topic],
            partition.partition,
            begins=begins[partition],
            ends=ends[partition],
        )
        client.seek(partition, start)
    return ends


async def _next(client: AIOKafkaConsumer) -> dict[TopicPartition, list[ConsumerRecord]]:
    if not client.assignment():  # no topic yet; reading would only complain
        await asyncio.sleep(_POLL_MS / 1000)
        return {}
    batches: dict[TopicPartition, list[ConsumerRecord]] = await client.getmany(timeout_ms=_POLL_MS)
    return batches


async def _take(
    client: AIOKafkaConsumer, sink: Sink, partition: TopicPartition, records: Sequence[ConsumerRecord]
) -> None:
    if records and records[0].offset > sink.next_offset(partition.topic, partition.partition):
        # offsets without records are usual (compaction, transactions); only what lies before the log's begin was lost
        begins = await client.beginning_offsets([partition])
        sink.deleted(partition.topic, partition.partition, min(begins[partition], records[0].offset))
    kept = [
        Kept(record.offset, record.timestamp, record.key, record.value, tuple(record.headers))
        for record in records
    ]
    await asyncio.to_thread(sink.take, partition.topic, partition.partition, kept)
