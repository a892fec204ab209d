"""Where a topic ends, on every broker."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from streams.kafka.clients import BrokerUnreachableError, consumer, producer
from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since
from streams.kafka.topics import catalogue, create
from streams.settings import Settings
from tests.kafka_server.apache_kafka import free_ports


async def test_the_end_is_after_the_last_record_of_several_batches(kafka_settings: Settings) -> None:
    """Tansu's ListOffsets answers 101 for two batches of a hundred."""
    await create(kafka_settings, catalogue(kafka_settings, ()))
    topic = kafka_settings.topic("messages")
    async with producer(kafka_settings) as client:
        for _ in range(2):
            batch = client.create_batch()
            for number in range(100):
                batch.append(key=None, value=b"%d" % number, timestamp=None)
            await (await client.send_batch(batch, topic, partition=0))

    async with consumer(kafka_settings) as client:
        ends = await present_ends(client, await assign_all(client, [topic]))
        starts = await starts_since(client, ends, None)
        values = [record.value async for record in records_until_now(client, starts, ends)]

    assert ends == {TopicPartition(topic, 0): 200, **{TopicPartition(topic, n): 0 for n in (1, 2, 3)}}
    assert values == [b"%d" % number for number in range(100)] * 2


async def test_no_broker_is_said_with_its_address() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"

    with pytest.raises(BrokerUnreachableError, match=f"no Kafka broker at {address}"):
        async with consumer(Settings(broker=address)):
            pass
