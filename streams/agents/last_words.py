"""Late states of windows: what a worker that wakes writes into the changelog of others is written over again.

A worker that was frozen, for however long, has records on their way when it wakes, and no check of its own can call them
back. Where such a state is the last record of a conversation in which nothing more is said, compaction would leave
nothing else. The owner of a partition is told the offset of each record that it has written itself, so an offset that
was not told to it is somebody else's record. It reads those, which costs nothing as long as there are none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams import metrics
from streams.agents.window_table import WindowTable
from streams.kafka.clients import BrokerUnreachableError, consumer
from streams.kafka.outbox import Outbox, Outgoing
from streams.kafka.reading import records_until_now
from streams.settings import Settings

logger = logging.getLogger(__name__)

#: How often it is looked for other workers' records, in seconds. Whoever takes the partition over finds both states for
#: ten minutes (`kafka.topics`), so this need only be much shorter than that.
LOOK_S: Final = 10.0


@dataclass(slots=True)
class Told:
    """Of one partition of the changelog: which of its offsets are known to be this worker's own (pure).

    >>> told = Told(checked=7)
    >>> told.note(7); told.note(9); told.strange(end=10)
    range(7, 10)
    """

    #: Everything below is read, or this worker's own.
    checked: int
    own: set[int] = field(default_factory=set)
    _end: int = -1

    def note(self, offset: int) -> None:
        """A record of ours stands there."""
        if offset >= self.checked:
            self.own.add(offset)

    def strange(self, *, end: int) -> range:
        """Offsets among which there are others' records; empty when there are none. `end` is the end of the log now.

        What stands beyond our newest record is strange only when the log's end has not moved since the last look: it
        may be our own, with its acknowledgement on the way.
        """
        settled = end == self._end
        self._end = end
        newest = max(self.own, default=self.checked - 1)
        if len(self.own) == newest + 1 - self.checked:
            self.done(newest + 1)
        upto = max(end, newest + 1) if settled else newest + 1
        return range(self.checked, max(upto, self.checked))

    def done(self, upto: int) -> None:
        """Everything below is dealt with."""
        self.checked = max(self.checked, upto)
        self.own = {offset for offset in self.own if offset >= self.checked}


class LastWords:
    """Sees to it that the last record of each conversation is its newest state. One per worker.

    `owned` are the partitions whose windows this worker may change now, `recovered(partition)` is the offset up to which
    recovery has read the changelog.
    """

    def __init__(
        self,
        settings: Settings,
        windows: WindowTable,
        outbox: Outbox,
        *,
        changelog: str,
        owned: Callable[[], frozenset[int]],
        recovered: Callable[[int], int],
    ) -> None:
        self._settings = settings
        self._windows = windows
        self._outbox = outbox
        self._changelog = changelog
        self._owned = owned
        self._recovered = recovered
        self._told: dict[int, Told] = {}

    def note(self, record: Outgoing, metadata: Any) -> None:  # noqa: ANN401 - aiokafka's RecordMetadata
        """Kafka has a record of ours, at `metadata.offset`."""
        if record.topic == self._changelog and (told := self._told.get(metadata.partition)) is not None:
            told.note(metadata.offset)

    async def keep(self, *, look_s: float = LOOK_S) -> None:
        """Look again and again, for ever. A broker that does not answer is asked again.

        Raises what the outbox raises: a state that cannot be written for good.
        """
        while True:
            try:
                async with consumer(self._settings) as client:
                    while True:
                        await self.look(client)
                        await asyncio.sleep(look_s)
            except (KafkaError, BrokerUnreachableError, OSError) as error:
                logger.debug("the windows' changelog could not be looked at: %r", error)
            await asyncio.sleep(look_s)

    async def look(self, client: AIOKafkaConsumer) -> None:
        """Once: read what others have written, write over what knew less than we do."""
        owned = self._owned()
        self._told = {
            partition: self._told.get(partition) or Told(self._recovered(partition)) for partition in owned
        }
        tps = {partition: TopicPartition(self._changelog, partition) for partition in owned}
        if not tps:
            return
        ends = await client.end_offsets(list(tps.values()))
        strange = {
            partition: found
            for partition, tp in tps.items()
            if (found := self._told[partition].strange(end=ends[tp]))
        }
        if strange:
            late = await self._late(client, strange)
            for partition, found in strange.items():
                self._told[partition].done(found.stop)
            await self._restate(late)

    async def _late(self, client: AIOKafkaConsumer, strange: Mapping[int, range]) -> list[tuple[int, bytes]]:
        """The conversations whose last record there knows less than the table."""
        tps = {partition: TopicPartition(self._changelog, partition) for partition in strange}
        client.assign(list(tps.values()))
        starts = {tps[partition]: found.start for partition, found in strange.items()}
        ends = {tps[partition]: found.stop for partition, found in strange.items()}
        late: dict[tuple[int, bytes], bool] = {}
        async for record in records_until_now(client, starts, ends):
            if record.key is not None:
                late[record.partition, record.key] = self._windows.knows_more(record)
        client.unsubscribe()
        return [place for place, behind in late.items() if behind]

    async def _restate(self, late: list[tuple[int, bytes]]) -> None:
        if not late:
            return
        logger.warning(
            "%d windows had older states written after ours, by a worker that woke or by somebody else: "
            "they are written again",
            len(late),
        )
        metrics.WINDOWS_RESTATED.inc(len(late))
        await self._outbox.send(
            self._windows.stated(late), still=lambda record: record.partition in self._owned()
        )
