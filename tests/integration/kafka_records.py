"""Writes and reads records for the integration tests, through the project's own clients."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka.clients import consumer, producer
from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since
from streams.replay_files import Outgoing
from streams.settings import Settings


async def everything_in(settings: Settings, *topics: str) -> list[ConsumerRecord]:
    """All records of the topics (full names), by topic, partition and offset."""
    async with consumer(settings) as client:
        ends = await present_ends(client, await assign_all(client, topics))
        starts = await starts_since(client, ends, None)
        found = [record async for record in records_until_now(client, starts, ends)]
    return sorted(found, key=lambda record: (record.topic, record.partition, record.offset))


async def write(settings: Settings, topic: str, records: Iterable[Outgoing]) -> None:
    """Send records to a topic (full name), one acknowledged before the next, so that each is its own batch."""
    async with producer(settings) as client:
        for record in records:
            await client.send_and_wait(topic, record.value, key=record.key, headers=list(record.headers))


async def set_topic_config(settings: Settings, topic: str, config: dict[str, str]) -> None:
    """Change the configuration of a topic (full name)."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])
    finally:
        await admin.close()
