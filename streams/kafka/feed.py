"""Sends prepared records to a topic at a rate, and counts what Kafka acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.kafka.clients import existing_topics, producer
from streams.replay_files import Outgoing, Refusal
from streams.settings import Settings

#: Sends that may wait for their acknowledgement at once: 2,000 listings with 40 kB of image are 80 MB.
MAX_UNACKNOWLEDGED: Final = 2_000
#: Without one success between them this many failures are not bad luck: the broker is away or refuses the topic.
GIVE_UP_AFTER: Final = 100
#: Problems kept for the reader; the rest are counted.
KEPT_PROBLEMS: Final = 10


class NoSuchTopicError(LookupError):
    """The topic to send to does not exist."""


@dataclass(slots=True)
class Tally:
    """What became of the records so far."""

    sent: int = 0
    failed: int = 0
    refused: int = 0
    failures_in_a_row: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def hopeless(self) -> bool:
        """Nothing gets through any more."""
        return self.failures_in_a_row >= GIVE_UP_AFTER

    def note(self, problem: str) -> None:
        """Keep the first few problems for the reader."""
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)


async def feed(
    settings: Settings,
    topic: str,
    source: Iterable[Outgoing | Refusal],
    *,
    rate: float | None = None,
    limit: int | None = None,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[Tally], None] = lambda _tally: None,
) -> Tally:
    """Send records in order to a topic of the contract and wait for every acknowledgement.

    `rate` in records per second, None for as fast as the broker takes them; at most `limit` are sent; a set `stop`
    ends the sending, not the waiting. Raises `BrokerUnreachableError` and `NoSuchTopicError` before anything is sent.
    """
    return await feed_by_name(
        settings, settings.topic(topic), source, rate=rate, limit=limit, stop=stop, on_progress=on_progress
    )


async def feed_by_name(
    settings: Settings,
    name: str,
    source: Iterable[Outgoing | Refusal],
    *,
    rate: float | None = None,
    limit: int | None = None,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[Tally], None] = lambda _tally: None,
) -> Tally:
    """As `feed`, to a topic by its full name."""
    stop = stop or asyncio.Event()
    tally = Tally()
    slots = asyncio.Semaphore(MAX_UNACKNOWLEDGED)
    async with producer(settings) as client:
        if name not in await existing_topics(client):
            # a producer would wait for it, half a minute a record
            raise NoSuchTopicError(f"the topic {name} does not exist: `sekisho topics create` makes it")
        started, taken = time.monotonic(), 0
        for record in source:
            if stop.is_set() or tally.hopeless or taken == limit:
                break
            if isinstance(record, Refusal):
                tally.refused += 1
                tally.note(str(record))
                continue
            if rate is not None and await _stopped_during(stop, started + taken / rate - time.monotonic()):
                break
            await slots.acquire()
            await _send_one(client, name, record, tally, slots)
            taken += 1
            on_progress(tally)
        for _ in range(MAX_UNACKNOWLEDGED):  # every slot is free again: nothing waits for its acknowledgement
            await slots.acquire()
    if tally.hopeless:
        tally.problems.append(f"gave up after {GIVE_UP_AFTER} failures in a row")
    return tally


async def _send_one(
    client: AIOKafkaProducer, topic: str, record: Outgoing, tally: Tally, slots: asyncio.Semaphore
) -> None:
    def failed(error: BaseException) -> None:
        tally.failed += 1
        tally.failures_in_a_row += 1
        tally.note(f"{type(error).__name__}: {error}")
        slots.release()

    def done(future: asyncio.Future[object]) -> None:
        if future.cancelled():
            failed(asyncio.CancelledError("the producer stopped first"))
        elif (error := future.exception()) is not None:
            failed(error)
        else:
            tally.sent += 1
            tally.failures_in_a_row = 0
            slots.release()

    try:
        acknowledged = await client.send(
            topic, value=record.value, key=record.key, headers=list(record.headers)
        )
    except KafkaError as error:  # refused before it left, e.g. too large
        failed(error)
    else:
        acknowledged.add_done_callback(done)


async def _stopped_during(stop: asyncio.Event, seconds: float) -> bool:
    if seconds <= 0:
        return stop.is_set()
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
