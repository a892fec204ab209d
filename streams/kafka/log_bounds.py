"""Where each partition's log begins and ends, asked of the broker by a connection of its own.

The worker's own consumer learns of a log's end from what it fetches: once its fetching has died, everything looks
done. And offsets alone do not say that records wait: a log that expired, or one that ends in the markers of
transactions, has an end that no consumer ever reaches by reading records. So the watch over progress asks here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.clients import BrokerUnreachableError, consumer
from streams.settings import Settings

logger = logging.getLogger(__name__)

#: How long one answer may take, in seconds. No answer is no news: the broker being away is no stall of the worker.
ANSWER_S = 5.0
#: A fetch that waits for records which are there is answered at once; this long without any means there are none.
LOOK_S = 2.0

Partition = tuple[str, int]
Bounds = tuple[int, int]


class LogBounds:
    """The broker's word on partitions. Connects with the first question; every answer takes `ANSWER_S` at most."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection = AsyncExitStack()
        self._client: AIOKafkaConsumer | None = None

    async def ask(self, partitions: Collection[Partition]) -> dict[Partition, Bounds]:
        """Per partition the offset of the first record kept and that after the last; empty when nobody answers."""
        tps = [TopicPartition(*partition) for partition in partitions]
        if not tps:
            return {}
        try:
            async with asyncio.timeout(ANSWER_S):
                client = await self._connected()
                begins, ends = await client.beginning_offsets(tps), await client.end_offsets(tps)
        except (TimeoutError, KafkaError, BrokerUnreachableError) as error:
            logger.debug("the broker was not heard on its logs' ends: %r", error)
            return {}
        return {(tp.topic, tp.partition): (begins[tp], ends[tp]) for tp in tps}

    async def with_records(self, starts: Mapping[Partition, int]) -> set[Partition]:
        """Those of the partitions that hold a record at the offset or later.

        All of them when nobody answers: whoever asks suspects a stall already, and may not be calmed by silence.
        """
        suspected = {TopicPartition(*partition): offset for partition, offset in starts.items()}
        found: set[Partition] = set()
        try:
            async with asyncio.timeout(ANSWER_S + LOOK_S):
                client = await self._connected()
                client.assign(list(suspected))
                for tp, offset in suspected.items():
                    client.seek(tp, offset)
                loop = asyncio.get_running_loop()
                deadline = loop.time() + LOOK_S
                while len(found) < len(suspected) and loop.time() < deadline:
                    batches = await client.getmany(timeout_ms=200)
                    found |= {(tp.topic, tp.partition) for tp, records in batches.items() if records}
                client.unsubscribe()
        except (TimeoutError, KafkaError, BrokerUnreachableError) as error:
            logger.debug("the broker did not say what is in its logs: %r", error)
            return set(starts)
        return found

    async def close(self) -> None:
        """Disconnect."""
        self._client = None
        await self._connection.aclose()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._client is None:
            self._client = await self._connection.enter_async_context(consumer(self._settings))
        return self._client
