"""A drain waited for the lanes alone. A bad decision whose dead letter was on its way was put aside again by the next
worker, and what waited in `rescore` until it was due was begun after the drain, scored, and never committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest_asyncio
from aiokafka import ConsumerRecord

from streams.agents.decisions import DecisionIntake
from streams.agents.lane import Delivery
from streams.agents.rescore import wait_until_due
from streams.app import Pipeline
from streams.inference.triton import TritonClient
from streams.kafka.outbox import Outbox, Outgoing
from streams.rulebook import LiveRulebook
from streams.settings import Settings


class SlowKafka(Outbox):
    """Acknowledges when told to."""

    def __init__(self) -> None:
        self.letters: list[Outgoing] = []
        self.acknowledges = asyncio.Event()

    async def send(self, records: Sequence[Outgoing]) -> bool:
        self.letters += records
        await self.acknowledges.wait()
        return True


@pytest_asyncio.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    settings = Settings(data_dir=tmp_path, rules_dir=tmp_path, drain_s=60.0)
    triton = TritonClient.from_settings(settings)
    made = Pipeline(
        settings, rulebook=LiveRulebook(settings.rules_dir, poll_s=5.0), triton=triton, fail=lambda _: None
    )
    yield made
    await triton.close()
    await made._producer.stop()


async def test_a_drain_waits_for_the_dead_letter_of_a_decision(pipeline: Pipeline) -> None:
    kafka = SlowKafka()
    pipeline._decisions = DecisionIntake(kafka, deadletter_topic="deadletter", max_record_bytes=1 << 20)
    deciding = asyncio.create_task(pipeline._decide(_delivered("decisions", b"no decision")))
    await asyncio.sleep(0)
    assert len(kafka.letters) == 1
    draining = asyncio.create_task(pipeline.drain())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not draining.done()
    kafka.acknowledges.set()
    async with asyncio.timeout(30):
        await draining
    assert deciding.done()


async def test_nothing_of_rescore_is_begun_once_a_drain_has_started(pipeline: Pipeline) -> None:
    """Its record is due and Triton comes back, but the flow of records has been stopped meanwhile."""
    consumer = pipeline.app.consumer
    consumer.holds_partitions = True
    delivery = Delivery("rescore", 0, 0, pipeline.app.consumer_generation_id, 1)
    assert pipeline._is_wanted(delivery)
    consumer.stop_flow()
    assert pipeline.is_current(delivery), "what was begun before is still finished"
    assert not pipeline._is_wanted(delivery)


async def test_what_was_let_go_while_it_waited_for_triton_is_not_begun() -> None:
    ours = [True]

    class BackAgain:
        """Triton answers, but just then the partition is taken away."""

        async def wait_available(self) -> None:
            ours.clear()

    begun = await wait_until_due(
        Delivery("rescore", 0, 0, 1, 1),
        [],
        scorer=BackAgain(),  # type: ignore[arg-type]
        is_current=lambda _: bool(ours),
    )
    assert not begun


def _delivered(topic: str, value: bytes) -> Any:
    record = ConsumerRecord(topic, 0, 0, 0, 0, None, value, None, 0, len(value), ())
    return SimpleNamespace(topic=topic, partition=0, offset=0, generation_id=0, value=[record])
