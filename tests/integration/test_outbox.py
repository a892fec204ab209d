"""The outbox on a real broker: everything acknowledged, retried over an outage, dead letters cut to fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from streams.embedded.broker import EmbeddedBroker
from streams.kafka.dead_letters import DeadLetter, parse
from streams.kafka.outbox import CUT_BYTES, Outbox, Outgoing, dead_letter
from streams.settings import Settings
from tests.integration.kafka_records import everything_in
from tests.regression.faust.harness import make_topic

pytestmark = pytest.mark.embedded


@asynccontextmanager
async def outbox(bootstrap: str) -> AsyncIterator[Outbox]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=16 << 20)
    await producer.start()
    try:
        yield Outbox(producer)
    finally:
        await producer.stop()


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_records_keep_key_headers_and_partition(broker: EmbeddedBroker) -> None:
    await make_topic(broker.bootstrap, "outbox-1", 3)
    async with outbox(broker.bootstrap) as box:
        await box.send(
            [
                Outgoing("outbox-1", b"k", b"v", headers=(("h", b"x"),), partition=2),
                Outgoing("outbox-1", b"k", None),
            ]
        )
    found = await everything_in(Settings(broker=broker.bootstrap), "outbox-1")
    assert sorted((r.key, r.value, tuple(r.headers)) for r in found if r.value) == [
        (b"k", b"v", (("h", b"x"),))
    ]
    assert {r.partition for r in found if r.value} == {2}
    assert [r.value for r in found if not r.value] == [None]


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_what_no_retry_mends_is_raised(broker: EmbeddedBroker) -> None:
    await make_topic(broker.bootstrap, "outbox-2", 1)
    async with outbox(broker.bootstrap) as box:
        with pytest.raises(MessageSizeTooLargeError):
            await box.send([Outgoing("outbox-2", b"k", b"x" * (3 << 20))])


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_a_dead_letter_too_large_for_the_broker_is_cut_and_says_so(broker: EmbeddedBroker) -> None:
    await make_topic(broker.bootstrap, "outbox-3", 1)
    letter = DeadLetter("too_large", "d", "messages", 1, 9, 0, b"k", b"x" * (3 << 20))
    async with outbox(broker.bootstrap) as box:
        await box.send([dead_letter("outbox-3", letter)])
    (record,) = await everything_in(Settings(broker=broker.bootstrap), "outbox-3")
    found = parse(record.key, record.value, record.headers)
    assert found.truncated_from == 3 << 20
    assert found.value == b"x" * CUT_BYTES
    assert (found.topic, found.partition, found.offset) == ("messages", 1, 9)


async def test_an_outage_is_waited_out(tmp_path: Path) -> None:
    first = EmbeddedBroker("noida", data_dir=tmp_path).start()
    await make_topic(first.bootstrap, "outbox-4", 1)
    async with outbox(first.bootstrap) as box:
        await box.send([Outgoing("outbox-4", b"k", b"before")])
        first.stop()
        sending = asyncio.create_task(
            box.send([Outgoing("outbox-4", b"k", b"during %d" % n) for n in range(5)])
        )
        await asyncio.sleep(2)
        assert not sending.done()
        with EmbeddedBroker("noida", port=first.port, data_dir=tmp_path) as second:
            await asyncio.wait_for(sending, 60)
            found = await everything_in(Settings(broker=second.bootstrap), "outbox-4")
    assert {r.value for r in found} == {b"before", *(b"during %d" % n for n in range(5))}
