"""A topic that every process reads whole, without a group: to its end for a command, and on for ever for a worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.events import LATEST_US
from streams.kafka.clients import BrokerUnreachableError, consumer, existing_topics
from streams.kafka.feed import NoSuchTopicError
from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since
from streams.settings import Settings

logger = logging.getLogger(__name__)

#: Records handed over at a time. At 5–20 µs a record a fold holds the event loop for 4 ms at most.
BATCH_RECORDS: Final = 200
#: Bytes fetched per partition and in all: what waits in memory, however long the log is. A larger record comes alone.
PARTITION_BYTES: Final = 1 << 20
FETCH_BYTES: Final = 8 << 20
#: A fetch of an idle topic returns after this: nobody waits for these records, and idle requests cost the broker.
IDLE_FETCH_MS: Final = 500
#: Pause before connecting again, in seconds.
RETRY_S: Final = 2.0
#: How often the broker is asked which partitions there are and where the logs end, and how long the answer may take, in seconds. A consumer whose
#: broker is away hears nothing and says nothing; this question is what notices.
ASK_S: Final = 15.0
ANSWER_S: Final = 10.0

Fold = Callable[[Sequence[ConsumerRecord]], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a log has been read.

    `caught_up`: everything that was there when reading began has been folded. `behind`: records (offsets) known and
    not yet folded. `newest_at_us`: the broker's time of the newest record folded, microseconds since 1970, within the
    years that a date can name. `trouble`: why reading stands still at the moment; it is tried again.
    """

    caught_up: bool = False
    read: int = 0
    behind: int | None = None
    newest_at_us: int | None = None
    trouble: str | None = None


class SharedLog:
    """Reads topics whole and hands raw records to `fold`, in batches of any mixture of partitions.

    Every process that folds the same topics comes to the same state if the fold is commutative and idempotent:
    records of one partition come in order, those of several in any, and after the topic was made anew some may come
    twice. Records written before `since_us` (microseconds since 1970; None: all that is kept) are left out.
    What `fold` raises ends the reading: a fold must put up with any bytes.
    """

    def __init__(
        self, settings: Settings, topics: Collection[str], *, fold: Fold, since_us: int | None = None
    ) -> None:
        self._settings = settings
        self._topics = frozenset(topics)
        self._fold = fold
        self._since_us = since_us or None
        self._next: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._caught_up = asyncio.Event()
        self._read = 0
        self._newest_at_us: int | None = None
        self._trouble: str | None = None
        self._names = ", ".join(sorted(self._topics))

    @property
    def standing(self) -> Standing:
        """How far it has come."""
        behind = None
        if self._ends:
            behind = sum(max(0, end - self._next.get(tp, 0)) for tp, end in self._ends.items())
        return Standing(self._caught_up.is_set(), self._read, behind, self._newest_at_us, self._trouble)

    async def wait_caught_up(self) -> None:
        """Return once everything that was there at the start has been folded."""
        await self._caught_up.wait()

    async def read_to_end(self, stop: asyncio.Event | None = None) -> None:
        """Read what is there now, then return; earlier when `stop` is set.

        Raises `BrokerUnreachableError`, `NoSuchTopicError` and aiokafka's `KafkaError`.
        """
        async with self._connected() as client:
            await self._read_what_is_there(client, stop=stop)

    async def follow(self) -> None:
        """Read what is there, then go on with what comes, until cancelled.

        An absent broker, topic or permission is logged, shown in `standing` and tried again, from where it stopped.
        """
        while True:
            try:
                async with self._connected() as client:
                    await self._read_what_is_there(client, share=0.5)
                    self._note_trouble(None)
                    await self._go_on(client)
            except (KafkaError, NoSuchTopicError, BrokerUnreachableError, TimeoutError) as error:
                self._note_trouble(str(error) or type(error).__name__)
            await asyncio.sleep(RETRY_S)

    def _connected(self) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
        return consumer(
            self._settings,
            fetch_max_wait_ms=IDLE_FETCH_MS,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
        )

    async def _read_what_is_there(
        self, client: AIOKafkaConsumer, *, stop: asyncio.Event | None = None, share: float = 1.0
    ) -> None:
        partitions = await assign_all(client, self._topics)
        if missing := self._topics - {tp.topic for tp in partitions}:
            raise NoSuchTopicError(
                f"there is no topic {', '.join(sorted(missing))} on {self._settings.broker}: "
                "`sekisho topics create` makes it"
            )
        ends = self._ends = await present_ends(client, partitions)
        starts = await starts_since(client, ends, self._since_us)
        for tp, reached in self._next.items():
            if starts.get(tp, reached) < reached <= ends.get(tp, -1):  # else the topic was made anew
                starts[tp] = reached
        self._next = dict(starts)
        batch: list[ConsumerRecord] = []
        async for record in records_until_now(client, starts, ends):
            batch.append(record)
            if len(batch) == BATCH_RECORDS:
                await self._hand_over(batch, share)
                batch = []
                if stop is not None and stop.is_set():
                    return
        await self._hand_over(batch, share)
        self._next = dict(ends)  # past offsets that hold no record
        self._caught_up.set()

    async def _go_on(self, client: AIOKafkaConsumer) -> None:
        """Hand over what comes. Returns when the topics have other partitions than those that are read."""
        loop = asyncio.get_running_loop()
        asked_at_s = loop.time()
        while True:
            for records in (await client.getmany(timeout_ms=1000, max_records=BATCH_RECORDS)).values():
                await self._hand_over(records, 0.5)
            if loop.time() - asked_at_s >= ASK_S:
                if await self._partitions(client) != self._next.keys():
                    logger.info("%s: other partitions than before, read from now on", self._names)
                    return
                self._ends = await self._present_ends(client)
                asked_at_s = loop.time()

    async def _partitions(self, client: AIOKafkaConsumer) -> set[TopicPartition]:
        async with self._answer():
            existing = await existing_topics(client)
        return {TopicPartition(name, n) for name in self._topics for n in existing.get(name, ())}

    async def _present_ends(self, client: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        async with self._answer():
            ends = dict(await client.end_offsets(list(self._next)))
            for tp in ends:
                # a log that ends in offsets without records: the consumer stands after them
                self._next[tp] = max(self._next[tp], await client.position(tp))
        return ends

    @asynccontextmanager
    async def _answer(self) -> AsyncIterator[None]:
        """Raises `BrokerUnreachableError` when the broker's answer takes too long."""
        try:
            async with asyncio.timeout(ANSWER_S):
                yield
        except TimeoutError:
            raise BrokerUnreachableError(
                f"no answer from {self._settings.broker} within {ANSWER_S:.0f} s"
            ) from None

    async def _hand_over(self, records: Sequence[ConsumerRecord], share: float) -> None:
        """Fold, then give the event loop to others so long that folding takes no more than its share of the time."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        wanted = [r for r in records if self._since_us is None or r.timestamp * 1000 >= self._since_us]
        if wanted:
            self._fold(wanted)
            newest_at_us = max(record.timestamp for record in wanted) * 1000
            # whoever writes a record sets its time, and pages show it as a date
            self._newest_at_us = min(max(self._newest_at_us or 0, newest_at_us), LATEST_US)
            self._read += len(wanted)
        for record in records:
            self._next[TopicPartition(record.topic, record.partition)] = record.offset + 1
        await asyncio.sleep((loop.time() - began_s) * (1 / share - 1))

    def _note_trouble(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            if trouble is None:
                logger.info("reading %s again", self._names)
            else:
                logger.warning("reading %s stands still and is tried again: %s", self._names, trouble)
        self._trouble = trouble
