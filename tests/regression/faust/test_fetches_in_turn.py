"""Partitions are read in turn: one with a backlog must not hold up the others until its whole fetch is used up."""

from __future__ import annotations

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.kafka.faust_corrections.consumer_thread import CorrectedConsumerThread
from tests.regression.faust.harness import running, until

pytestmark = pytest.mark.embedded

WAITING, AT_ONCE = 300, 10


async def _batches_before_the_other(broker: str) -> int:
    """How many batches of the first partition were handed out before the first of the other one."""
    async with running(broker) as state:
        topic = state.topic
        for partition in range(2):
            await state.produce(WAITING, partition=partition)
        await until(lambda: len(state.offsets) == 2 * WAITING, "all records")
    async with running(topic=topic, bootstrap=broker, broker_max_poll_records=AT_ONCE) as again:
        await until(lambda: len(again.offsets) == 2 * WAITING, "all records again")
    for partition in range(2):
        assert [o for p, o in again.offsets if p == partition] == list(range(WAITING))
    order = [batch[0].partition for batch in again.batches]
    assert max(map(len, again.batches)) <= AT_ONCE
    return order.index(1 - order[0])


async def test_partitions_are_read_in_turn(noida: str) -> None:
    # Not 1: the second partition's answer may come a moment after the first one's.
    assert await _batches_before_the_other(noida) < WAITING / AT_ONCE / 2


async def test_aiokafka_still_empties_one_before_the_next(
    noida: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When this fails, the correction can go."""
    monkeypatch.setattr(CorrectedConsumerThread, "_fetch_records", AIOKafkaConsumerThread._fetch_records)
    assert await _batches_before_the_other(noida) == WAITING / AT_ONCE
