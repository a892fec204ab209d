"""aiokafka clients made from Settings: producer, consumer, admin, and reading a topic up to its present end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.kafka.limits import largest_message_bytes
from streams.kafka.security import client_options
from streams.settings import Settings

#: How long a command waits for a broker's answer before it says that none came.
REQUEST_TIMEOUT_MS = 30_000
#: A fetch returns after this even when nothing has come. Tansu waits part of it out although data is there
#: (aiokafka's default of 500 ms costs ~400 ms of latency on it); on Apache Kafka 50 ms is 20 idle requests a second.
FETCH_MAX_WAIT_MS = 50


class BrokerUnreachableError(ConnectionError):
    """No broker of `SEKISHO_BROKER` answers, or none lets us in."""


@asynccontextmanager
async def producer(settings: Settings, **overrides: Any) -> AsyncIterator[AIOKafkaProducer]:  # noqa: ANN401 - aiokafka's arguments
    """A started producer; flushed and stopped on leaving.

    `acks=all`, lz4. Not idempotent: Tansu refuses aiokafka's InitProducerId, and nothing needs it, because
    aiokafka keeps one request per partition in flight (order survives a retry) and subscribers upsert by id.
    Raises `BrokerUnreachableError`.
    """
    options = {
        "acks": "all",
        "compression_type": "lz4",
        "linger_ms": 5,  # merges sends of one burst; a record alone waits 5 ms
        "max_request_size": largest_message_bytes(settings),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        **client_options(settings),
        **overrides,
    }
    client = AIOKafkaProducer(**options)
    async with _started(client, settings):
        yield client


@asynccontextmanager
async def consumer(settings: Settings, *topics: str, **overrides: Any) -> AsyncIterator[AIOKafkaConsumer]:  # noqa: ANN401 - aiokafka's arguments
    """A started consumer of raw bytes, without a group unless `group_id` is given; stopped on leaving.

    Raises `BrokerUnreachableError`.
    """
    options = {
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "fetch_max_wait_ms": FETCH_MAX_WAIT_MS,
        "max_partition_fetch_bytes": largest_message_bytes(settings),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        **client_options(settings),
        **overrides,
    }
    client = AIOKafkaConsumer(*topics, **options)
    async with _started(client, settings):
        yield client


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client; closed on leaving. Raises `BrokerUnreachableError`."""
    client = AIOKafkaAdminClient(request_timeout_ms=REQUEST_TIMEOUT_MS, **client_options(settings))
    try:
        try:
            await client.start()
        except KafkaConnectionError as error:
            raise _unreachable(settings, error) from error
        yield client
    finally:
        await client.close()


async def partitions_of(client: AIOKafkaConsumer, topics: Collection[str]) -> list[TopicPartition]:
    """All partitions of those of the topics that exist, assigned to the (group-less) consumer."""
    existing = await client.topics()
    found = [
        TopicPartition(topic, partition)
        for topic in sorted(existing & set(topics))
        for partition in sorted(client.partitions_for_topic(topic) or ())
    ]
    if found:
        client.assign(found)
    return found


async def present_ends(client: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """The offset after the last record of each assigned partition; leaves the consumer standing there.

    ListOffsets alone would do on Apache Kafka, but Tansu answers with the *base* offset of the last batch + 1,
    which is too low. The high watermark of a fetch response is right on every broker, so one fetch confirms it.
    """
    reported: Mapping[TopicPartition, int] = await client.end_offsets(list(partitions))
    for partition, offset in reported.items():
        client.seek(partition, offset)
    ends = dict(reported)
    deadline = time.monotonic() + REQUEST_TIMEOUT_MS / 1000
    unconfirmed = set(partitions)
    while unconfirmed:
        await client.getmany(timeout_ms=2 * FETCH_MAX_WAIT_MS)
        for partition in list(unconfirmed):
            mark = client.highwater(partition)
            if mark is not None:
                ends[partition] = max(mark, ends[partition])
                unconfirmed.discard(partition)
        if unconfirmed and time.monotonic() > deadline:
            raise BrokerUnreachableError(
                f"no answer about {len(unconfirmed)} partitions, e.g. {next(iter(unconfirmed)).topic}, "
                f"within {REQUEST_TIMEOUT_MS // 1000} s"
            )
    for partition, offset in ends.items():
        client.seek(partition, offset)
    return ends


async def records_until_now(
    client: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    """Records of each partition from its start up to, not including, its end; leaves the consumer at the ends."""
    for partition, offset in starts.items():
        client.seek(partition, offset)
    open_partitions = {partition for partition, offset in starts.items() if offset < ends[partition]}
    while open_partitions:
        batches = await client.getmany(*open_partitions, timeout_ms=1000)
        for partition, records in batches.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        for partition in list(open_partitions):
            # the position, not the last record: a compacted or transactional log may end in offsets without records
            if await client.position(partition) >= ends[partition]:
                client.seek(partition, ends[partition])
                open_partitions.discard(partition)


@asynccontextmanager
async def _started(client: AIOKafkaProducer | AIOKafkaConsumer, settings: Settings) -> AsyncIterator[None]:
    try:
        try:
            await client.start()
        except (KafkaError, OSError, asyncio.TimeoutError) as error:
            raise _unreachable(settings, error) from error
        yield
    finally:
        await client.stop()


def _unreachable(settings: Settings, error: Exception) -> BrokerUnreachableError:
    return BrokerUnreachableError(
        f"no Kafka broker at {settings.broker} ({settings.security_protocol}) lets this client in: {error}. "
        "Is it running, and is SEKISHO_BROKER right? `sekisho up` starts one on this machine"
    )
