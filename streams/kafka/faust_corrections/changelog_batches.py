"""Recovery of tables: whole batches of changelog records at once, and an error in it is an error.

Faults (faust/tables/recovery.py `_slurp_changelogs`):
- each changelog record passes through Faust as an event of its own, 137 µs of CPU: 100,000 conversations took a worker
  14 s of CPU before its first message;
- any exception while a batch is applied, such as a full disk under RocksDB, is logged as a warning, and recovery
  waits for ever for an end that does not come;
- a record of a partition that has been taken away meanwhile is applied to the table of the record before it;
- the last record of a key is taken for its state. A worker that was frozen for longer than its session writes what it
  had in flight when it wakes, after the states that the partition's new owner has written.

Correction: `table_topics` arrive as one message per fetched batch, which is applied in one go (measured: 4 µs a
record); errors crash the service, and with it the worker, which starts anew; what belongs to nobody is dropped; which
of several states of a key holds is the table's own choice (`CorrectedTableManager.choose`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from aiokafka import ConsumerRecord
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

#: How long to wait for records before looking whether recovery is over, in seconds (Faust's own).
QUIET_S: Final = 5.0


class Change:
    """One changelog record in the shape that stores take: an event that is its own message."""

    __slots__ = ("headers", "key", "message", "offset", "partition", "tp", "value")

    def __init__(self, tp: TP, record: ConsumerRecord) -> None:
        self.tp, self.partition, self.offset = tp, tp.partition, record.offset
        self.key, self.value, self.headers = record.key, record.value, record.headers
        self.message = self


class ChangelogBatches(Recovery):  # type: ignore[misc]
    """Recovery that takes changelogs in batches."""

    @Service.task  # type: ignore[untyped-decorator]
    async def _slurp_changelogs(self: Any) -> None:
        queue = self.tables.changelog_queue
        while not self.should_stop:
            self.signal_recovery_end.clear()
            try:
                event = await asyncio.wait_for(queue.get(), timeout=QUIET_S)
            except TimeoutError:
                self._end_if_recovered()
                continue
            self._apply(event)
            self._end_if_recovered()

    def _apply(self: Any, event: Any) -> None:  # noqa: ANN401 - Faust has no types
        tp = event.message.tp
        if tp not in self.active_tps:
            self.log.info("Changelog of %r is not this worker's any more: not applied", tp)
            return
        seen = self.active_offsets.get(tp)
        batch = event.message.value
        changes = (
            [
                Change(tp, record)
                for record in batch
                # Without a key it is none of ours: RocksDB would raise, and no tombstone can name it.
                if record.key is not None and (seen is None or record.offset > seen)
            ]
            if isinstance(batch, list)
            else [event]
        )
        if isinstance(batch, list):
            changes = self.tables.choose(changes)
        if changes:
            self.tp_to_table[tp].apply_changelog_batch(changes)
        self.active_offsets[tp] = event.message.offset if seen is None else max(seen, event.message.offset)
        self._active_events_received_at[tp] = self._last_active_event_processed_at = time.monotonic()

    def _end_if_recovered(self: Any) -> None:
        if self.in_recovery and not self.need_recovery():
            self._set_recovery_ended()
            self.signal_recovery_end.set()
