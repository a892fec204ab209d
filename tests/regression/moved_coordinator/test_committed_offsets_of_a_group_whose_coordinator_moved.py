"""A broker that is not the group's coordinator refused, and its refusal was taken for "nothing was ever committed".

The worker would have begun at the start of every topic again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.kafka.faust_corrections.committed_offsets import heed_refusals
from tests.kafka_server.apache_kafka import ApacheKafka, KafkaUnavailableError

pytestmark = pytest.mark.kafka

COMMITTED = {TopicPartition("t", 0): 2, TopicPartition("t", 1): 1}


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        cluster = ApacheKafka(tmp_path_factory.mktemp("kafka"), nodes=3)
    except KafkaUnavailableError as error:
        pytest.skip(f"Apache Kafka cannot be run here: {error}")
    try:
        cluster.start()
        yield cluster.bootstrap
    finally:
        cluster.stop()


@asynccontextmanager
async def _sent_to_another_broker(bootstrap: str, *, heeding: bool) -> AsyncIterator[Any]:
    """A member's coordinator client that believes another broker to be the group's coordinator."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id="g", enable_auto_commit=False)
    await consumer.start()
    try:
        coordinator = consumer._coordinator
        if heeding:
            heed_refusals(coordinator)
        await coordinator.ensure_coordinator_known()
        coordinator.coordinator_id = coordinator.coordinator_id % 3 + 1
        yield coordinator
    finally:
        await consumer.stop()


async def _commit(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("t", num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for topic, partition in (tp for tp, count in COMMITTED.items() for _ in range(count)):
            await producer.send_and_wait(topic, b"x", partition=partition)
    member = AIOKafkaConsumer("t", bootstrap_servers=bootstrap, group_id="g", enable_auto_commit=False)
    await member.start()
    try:
        await member.commit(COMMITTED)
    finally:
        await member.stop()


async def test_a_refusal_sends_the_client_to_the_coordinator_and_the_offsets_are_those_committed(
    bootstrap: str,
) -> None:
    await _commit(bootstrap)
    async with _sent_to_another_broker(bootstrap, heeding=False) as coordinator:
        assert await coordinator.fetch_committed_offsets(list(COMMITTED)) == {}, "aiokafka was corrected"
    async with _sent_to_another_broker(bootstrap, heeding=True) as coordinator:
        found = await coordinator.fetch_committed_offsets(list(COMMITTED))
    assert {tp: at.offset for tp, at in found.items()} == COMMITTED
