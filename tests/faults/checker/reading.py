"""Reads whole topics from Kafka into the checker's records, in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.faults.checker.records import TopicRecord

#: Records handed on together.
PIECE = 2_000


async def everything_in(
    broker: str, topics: Sequence[str], *, prefix: str
) -> AsyncIterator[list[TopicRecord]]:
    """All records of the topics (full names), up to what is there when the reading begins."""
    client = AIOKafkaConsumer(
        bootstrap_servers=broker, enable_auto_commit=False, auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 << 20, fetch_max_wait_ms=50,
    )  # fmt: skip
    await client.start()
    try:
        cluster = await client._client.fetch_all_metadata()
        partitions = [
            TopicPartition(topic, part)
            for topic in topics
            for part in sorted(cluster.partitions_for_topic(topic) or ())
        ]
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        for tp in partitions:
            client.seek(tp, 0)
        unread = {tp for tp in partitions if ends[tp] > 0}
        while unread:
            batches = await client.getmany(*unread, timeout_ms=1000, max_records=PIECE)
            piece = [
                TopicRecord(
                    record.topic.removeprefix(prefix), record.partition, record.offset, record.timestamp,
                    record.key, record.value, tuple(record.headers),
                )
                for tp, records in batches.items()
                for record in records
                if record.offset < ends[tp]
            ]  # fmt: skip
            if piece:
                yield piece
            unread = {tp for tp in unread if await client.position(tp) < ends[tp]}
    finally:
        await client.stop()
