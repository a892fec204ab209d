"""A late state that stayed the last record of a silent conversation was all that compaction left of it.

Whoever took the partition over after that judged the next message without those that the late state did not know.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.agents.last_words import LastWords
from streams.agents.window_table import NEWEST_HEADER, WindowTable
from streams.kafka.clients import consumer, producer
from streams.kafka.outbox import Outbox
from streams.settings import Settings
from streams.windows import FOR_EVER, Turn, decode
from tests.integration.conftest import RunningBroker
from tests.integration.kafka_records import everything_in
from tests.regression.faust.harness import make_topic
from tests.unit.agents.test_window_table import Dictionary

pytestmark = [pytest.mark.embedded, pytest.mark.parametrize("broker", ["noida"], indirect=True)]

TURNS = [Turn(offset, f"m{offset}", offset, "buyer", "x", arrived_us=offset) for offset in range(4)]


class Owner:
    """A worker's windows of partition 0, its outbox and its look at the changelog."""

    def __init__(self, settings: Settings, kafka: AIOKafkaProducer, changelog: str) -> None:
        self.table = WindowTable(Dictionary, changelog=changelog, committed=lambda _: 0, lifetimes=FOR_EVER)
        store = Dictionary()
        self.table._store = lambda: store
        self.outbox = Outbox(kafka)
        self.owned = frozenset({0})
        self.last_words = LastWords(
            settings,
            self.table,
            self.outbox,
            changelog=changelog,
            owned=lambda: self.owned,
            recovered=lambda _: 0,
        )
        self.outbox.acknowledged = self.last_words.note

    async def take(self, *turns: Turn, transaction: str = "t") -> None:
        for turn in turns:
            self.table.admit(0, transaction, turn)
            await self.outbox.send(self.table.changes([(0, transaction)]))


@asynccontextmanager
async def owner_of(
    broker: RunningBroker, changelog: str
) -> AsyncIterator[tuple[Settings, Owner, AIOKafkaConsumer]]:
    settings = Settings(broker=broker.bootstrap)
    await make_topic(broker.bootstrap, changelog, 1)
    async with producer(settings) as kafka, consumer(settings) as client:
        yield settings, Owner(settings, kafka, changelog), client


async def states(settings: Settings, changelog: str) -> list[list[int] | None]:
    """The offsets that each record of the changelog knows."""
    return [
        None if record.value is None else [turn.offset for turn in decode(record.value)]
        for record in await everything_in(settings, changelog)
    ]


async def written_by_a_sleeper(
    settings: Settings, changelog: str, record: int, tombstone: bool = False
) -> None:
    """Write once more what stands there as that record, or a tombstone that knows as much."""
    old = (await everything_in(settings, changelog))[record]
    async with producer(settings) as client:
        await client.send_and_wait(
            changelog,
            None if tombstone else old.value,
            key=old.key,
            partition=0,
            headers=[(NEWEST_HEADER, b"0")] if tombstone else None,
        )


@pytest.mark.parametrize("tombstone", [False, True], ids=["state", "tombstone"])
async def test_the_last_record_of_a_silent_conversation_is_its_newest_state(
    broker: RunningBroker, tombstone: bool
) -> None:
    name = f"late-{tombstone}"
    async with owner_of(broker, name) as (settings, owner, client):
        await owner.last_words.look(client)
        await owner.take(*TURNS[:3])
        await owner.last_words.look(client)
        assert await states(settings, name) == [[0], [0, 1], [0, 1, 2]]
        await written_by_a_sleeper(settings, name, 0, tombstone)
        for _ in range(3):  # once to see that the log has grown, once that it is not ours
            await owner.last_words.look(client)
        assert (await states(settings, name))[3:] == [None if tombstone else [0], [0, 1, 2]]


async def test_late_states_amid_ones_own_are_found_and_what_is_newer_is_left(broker: RunningBroker) -> None:
    async with owner_of(broker, "amid") as (settings, owner, client):
        await owner.last_words.look(client)
        await owner.take(*TURNS[:2])
        await owner.take(TURNS[0], transaction="u")
        await written_by_a_sleeper(settings, "amid", 0)
        await owner.take(TURNS[3], transaction="u")
        await owner.last_words.look(client)
        assert (await states(settings, "amid"))[3:] == [[0], [0, 3], [0, 1]]
        for _ in range(3):
            await owner.last_words.look(client)
        assert len(await states(settings, "amid")) == 6, "written again once"


async def test_nothing_is_written_for_partitions_of_others(broker: RunningBroker) -> None:
    async with owner_of(broker, "others") as (settings, owner, client):
        await owner.take(*TURNS[:3])
        await written_by_a_sleeper(settings, "others", 0)
        owner.owned = frozenset()
        for _ in range(3):
            await owner.last_words.look(client)
        assert len(await states(settings, "others")) == 4
