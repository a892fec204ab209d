"""aiokafka clients made from Settings: producer, consumer, admin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

import streams.kafka.fetcher_close
import streams.kafka.header_names  # noqa: F401 - these correct what consumers do
from streams.kafka.limits import largest_message_bytes
from streams.kafka.security import client_options
from streams.settings import Settings

#: How long a command waits for a broker's answer before it says that none came.
REQUEST_TIMEOUT_MS = 30_000
#: A fetch returns after this even when nothing has come. Tansu waits part of it out although data is there
#: (aiokafka's default of 500 ms costs ~400 ms of latency on it); on Apache Kafka 50 ms is 20 idle requests a second.
FETCH_MAX_WAIT_MS = 50


class BrokerUnreachableError(ConnectionError):
    """No broker of `SEKISHO_BROKER` answers, or none lets us in; `advice` says what to look at."""

    advice = "Is it running, and is SEKISHO_BROKER right? `sekisho up` starts one on this machine"


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


async def existing_topics(client: AIOKafkaProducer | AIOKafkaConsumer) -> dict[str, frozenset[int]]:
    """The partitions of every topic that the broker shows to a started client.

    Asked of the broker: Apache Kafka tells a client's own metadata only about topics that it uses.
    """
    inner = client.client if isinstance(client, AIOKafkaProducer) else client._client
    cluster = await inner.fetch_all_metadata()
    return {topic: frozenset(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}


@asynccontextmanager
async def _started(client: AIOKafkaProducer | AIOKafkaConsumer, settings: Settings) -> AsyncIterator[None]:
    try:
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            raise _unreachable(settings, error) from error
        yield
    finally:
        await client.stop()


def _unreachable(settings: Settings, error: Exception) -> BrokerUnreachableError:
    return BrokerUnreachableError(
        f"no Kafka broker at {settings.broker} ({settings.security_protocol}) lets this client in: {error}"
    )
