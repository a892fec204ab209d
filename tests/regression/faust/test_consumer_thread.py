"""The end of a changelog must be its real end: an embedded broker answers ListOffsets(latest) with less."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from streams.kafka.faust_corrections.consumer_thread import FETCH_MAX_WAIT_MS
from tests.regression.faust.harness import running

pytestmark = pytest.mark.embedded


async def _two_batches(bootstrap: str, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for _ in range(2):
            batch = producer.create_batch()
            for number in range(50):
                batch.append(key=b"k", value=b"%d" % number, timestamp=None)
            await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


@pytest.mark.parametrize("broker", ["tansu", "noida"])
async def test_the_high_watermark_is_the_end(broker: str, request: pytest.FixtureRequest) -> None:
    bootstrap = request.getfixturevalue(broker)
    async with running(bootstrap) as state:
        await _two_batches(bootstrap, state.topic)
        tp = TP(state.topic, 0)
        assert (await state.consumer.highwaters(tp))[tp] == 100


async def test_the_broker_still_has_the_fault(tansu: str) -> None:
    """When this fails, the embedded broker has mended it: delete the probe."""
    async with running(tansu) as state:
        await _two_batches(tansu, state.topic)
        tp = TP(state.topic, 0)
        thread = state.consumer._thread
        stock = await thread.call_thread(AIOKafkaConsumerThread._highwaters, thread, [tp])
        assert stock[tp] == 51


async def test_fetches_wait_briefly(noida: str) -> None:
    async with running(noida) as state:
        assert state.consumer._thread._consumer._fetcher._fetch_max_wait_ms == FETCH_MAX_WAIT_MS
