"""Looks at the brokers during a campaign: committed offsets, and afterwards how far the outputs reached."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.faust_corrections.committed_offsets import heed_refusals
from tests.faults.fleet import Fleet
from tests.faults.journal import Journal

#: Between looks. Lag and recovery times are known to this grain.
EVERY_S = 1.0
#: A broker that does not answer must not hold up the next look for long.
LOOK_LIMIT_S = 5.0


class Sampler:
    """Writes samples into the journal.

    The committed offsets are asked *before* the ends of the outputs, so whatever was committed must have its outputs
    below those ends: that is what the checker holds each sample to. The ends of the inputs come last and give the lag.
    """

    def __init__(
        self, broker: str, *, group: str, inputs: Sequence[TopicPartition], outputs: Sequence[TopicPartition],
        journal: Journal, fleet: Fleet,
    ) -> None:  # fmt: skip
        self._client = AIOKafkaConsumer(
            bootstrap_servers=broker, group_id=group, enable_auto_commit=False, request_timeout_ms=10_000
        )
        self._inputs = list(inputs)
        self._outputs = list(outputs)
        self._journal = journal
        self._fleet = fleet
        #: Events that are not committed, and events put aside for their models that are not: at the last look, None if
        #: it was not answered.
        self.lag: int | None = None
        self.aside: int | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        await self._client.start()
        heed_refusals(self._client._coordinator)  # a coordinator that moved is no group without offsets
        try:
            while True:
                try:
                    async with asyncio.timeout(LOOK_LIMIT_S):
                        await self.look()
                except (KafkaError, TimeoutError) as error:
                    self.lag = self.aside = None
                    self._journal.note("no sample", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(EVERY_S)
        finally:
            await self._client.stop()

    async def look(self) -> None:
        """One sample. Raises KafkaError, TimeoutError."""
        committed = await self._committed()
        ends = await self._client.end_offsets(self._outputs)
        input_ends = await self._client.end_offsets(self._inputs)
        lag = {tp: input_ends[tp] - committed[tp] for tp in self._inputs}
        self.aside = sum(lag[tp] for tp in self._inputs if tp.topic.endswith("rescore"))
        self.lag = sum(lag.values()) - self.aside
        self._journal.note(
            "sample",
            committed=_by_name(committed),
            ends=_by_name(ends),
            lag=self.lag,
            aside=self.aside,
            rss=self._fleet.measure(),
        )

    async def _committed(self) -> dict[TopicPartition, int]:
        offsets = await self._client._coordinator.fetch_committed_offsets(self._inputs)
        return {tp: max(0, offsets[tp].offset) if tp in offsets else 0 for tp in self._inputs}


def _by_name(offsets: dict[TopicPartition, int]) -> dict[str, int]:
    return {f"{tp.topic}/{tp.partition}": offset for tp, offset in offsets.items() if offset}
