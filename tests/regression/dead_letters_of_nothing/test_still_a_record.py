"""A record with neither key nor value, and one whose headers the broker does not take, stopped the worker as dead letters.

The first failed an assertion in aiokafka's producer, the second was cut where it had nothing to cut, for ever.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.embedded.broker import EmbeddedBroker
from streams.kafka.dead_letters import DeadLetter, parse
from streams.kafka.outbox import Outbox, dead_letter
from streams.settings import Settings
from tests.integration.kafka_records import everything_in
from tests.regression.faust.harness import make_topic

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]
MEGABYTES = 3 << 20


@pytest.mark.parametrize(
    "letter",
    [
        DeadLetter("empty", "d", "messages", 1, 9, 0),
        DeadLetter("empty", "d", "messages", 1, 9, 0, value=b""),
        DeadLetter("too_large", "d", "messages", 1, 9, 0, headers=(("h", b"x" * MEGABYTES),)),
        DeadLetter("too_large", "d", "messages", 1, 9, 0, key=b"k" * MEGABYTES, value=b"x"),
        DeadLetter(
            "too_large", "d", "messages", 1, 9, 0, b"k" * MEGABYTES, b"x" * MEGABYTES, (("h", b"x" * MEGABYTES),)
        ),
    ],
    ids=["nothing", "no key", "headers", "key", "all of them"],
)  # fmt: skip
async def test_it_reaches_the_topic_with_its_reason_and_place(letter: DeadLetter, tmp_path: Path) -> None:
    with EmbeddedBroker("noida", None, tmp_path) as broker:
        await make_topic(broker.bootstrap, "letters", 1)
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", max_request_size=16 << 20)
        await producer.start()
        try:
            await Outbox(producer).send([dead_letter("letters", letter)])
        finally:
            await producer.stop()
        (record,) = await everything_in(Settings(broker=broker.bootstrap), "letters")
    found = parse(record.key, record.value, record.headers)
    assert (found.reason, found.position) == (letter.reason, letter.position)
    whole = len(letter.key or b"") < MEGABYTES and not letter.headers
    assert found.truncated_from == (None if whole else len(letter.value or b""))
    assert (letter.value or b"").startswith(found.value or b"")
