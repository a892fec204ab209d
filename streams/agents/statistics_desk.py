"""Counts the events that a worker has finished and writes the counts to the topic `statistics` every minute."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence

from aiokafka.errors import KafkaError

from streams.agents.background import Background
from streams.conclusion import Conclusion
from streams.kafka.outbox import Outbox, Outgoing
from streams.kafka.permissions import MissingPermissionError
from streams.screening import Case
from streams.settings import Settings
from streams.statistics.records import encode, key_of
from streams.statistics.tally import Tally

logger = logging.getLogger(__name__)

#: How often counts are written, in seconds: what a worker that dies has not written is missing for good.
WRITE_EVERY_S = 60.0
#: The time that the last counts have at the stop of a worker, in seconds. A broker that does not answer must not hold it.
LAST_WRITE_S = 3.0


class StatisticsDesk:
    """One per process, shared by its lanes. Nothing here may hold up screening or end the worker."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        *,
        write_every_s: float = WRITE_EVERY_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._topic = settings.topic("statistics")
        self._outbox = outbox
        self._write_every_s = write_every_s
        self._now_us = now_us
        # 64 bits: of a thousand starts a day, two share an id once in a hundred million years of forty days each.
        self._tally = Tally(secrets.token_hex(8))
        # Counting goes on in memory and is written at the stop.
        self._background = Background("this worker's counts are not written until it stops")
        self._began = False

    def count(self, concluded: Sequence[tuple[Case, Conclusion]]) -> None:
        """Count the events whose prediction Kafka has acknowledged."""
        now_us = self._now_us()
        for case, conclusion in concluded:
            if conclusion.prediction is not None:
                self._tally.count(case.screened, conclusion.models, conclusion.notes, now_us=now_us)

    def start(self) -> None:
        """Begin to write, in the running event loop."""
        self._background.begin(self._keep_writing())
        self._began = True

    async def stop(self) -> None:
        """Write what has been counted since, if the broker takes it in time."""
        if not self._began:
            return
        await self._background.stop()
        try:
            async with asyncio.timeout(LAST_WRITE_S):
                await self.write()
        except TimeoutError:
            logger.warning("the last counts of this worker were not written: Kafka did not take them in time")

    async def write(self) -> None:
        """Write the counts that have grown. A refusal is logged: they are cumulative, the next time says it all."""
        grown = self._tally.grown()
        try:
            await self._outbox.send(
                [Outgoing(self._topic, key_of(counts), encode(counts)) for counts in grown]
            )
            # not if it was refused, or cancelled by the stop, which writes once more
            self._tally.note_written(grown)
        except (KafkaError, MissingPermissionError) as error:
            logger.warning("counts of this worker were not written to %s: %r", self._topic, error)

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(self._write_every_s)
            await self.write()
