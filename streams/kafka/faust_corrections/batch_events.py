"""Batches: one Faust event per fetched partition batch instead of one per record.

Fault: each record costs Faust 54-74 µs of CPU before any work is done (two tasks and an `asyncio.wait` per message in
`Consumer._drain_messages`, the stream's iterator, sensors), 25 times what plain aiokafka takes; each table write and
each send as much again.

Correction: `getmany` yields the whole list of records that a fetch brought for a partition as the value of one
message, at the offset of its last record. Agents, assignment, recovery and web stay Faust's. Records of other topics
(changelogs) go through as before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import faust
from faust.types.tuples import ConsumerMessage


class PassThroughSchema(faust.Schema):  # type: ignore[misc]
    """Hands a batch message's value (a list of aiokafka `ConsumerRecord`) to the agent untouched."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> None:  # noqa: ANN401
        """A batch has no key."""
        return

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:  # noqa: ANN401
        """The records as fetched."""
        return message.value


class BatchEvents:
    """Mixin for Faust's consumer; topics in `batch_topics` and `table_topics` come as batches."""

    #: Changelogs: batches too, but nothing of them is ever committed.
    table_topics: frozenset[str] = frozenset()

    async def getmany(self: Any, timeout: float) -> AsyncIterator[tuple[Any, Any]]:  # noqa: ASYNC109 - Faust's
        """Fetch, and yield (partition, message): a batch message or, for other topics, one per record."""
        records, active = await self._wait_next_records(timeout)
        if records is None or self.should_stop:
            return
        generation_id = self.app.consumer_generation_id
        if not self.flow_active:
            # The flow was stopped while the fetch waited: what it brought is dropped here and will be fetched again,
            # because every path that resumes the flow seeks first (recovery.py).
            return
        for tp, fetched in list(records.items()):
            if not self.flow_active or self.app.consumer_generation_id != generation_id:
                return
            if not (active is None or tp in active or tp in self._buffered_partitions):
                continue
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            if tp.topic not in self.batch_topics and tp.topic not in self.table_topics:
                for record in fetched:
                    yield tp, self._to_message(tp, record)
                continue
            if message := self._batch_message(tp, fetched, generation_id):
                yield tp, message

    def _batch_message(self: Any, tp: Any, fetched: list[Any], generation_id: int) -> ConsumerMessage | None:  # noqa: ANN401
        read = self._read_offset.get(tp)
        if read is not None and fetched and fetched[-1].offset < read:
            return None  # delivered already
        if not fetched:
            return None
        last = fetched[-1]
        if tp.topic in self.batch_topics:
            self.frontiers[tp].deliver(last_offset=last.offset)
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            (last.timestamp or 0) / 1000.0,
            last.timestamp_type,
            (),
            None,
            fetched,
            None,
            0,
            len(fetched),
            tp,
            generation_id=generation_id,
        )
