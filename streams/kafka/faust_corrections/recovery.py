"""Recovery: seek source partitions to the committed offset *before* they are resumed, and start without a pause.

Fault (faust/tables/recovery.py `on_recovery_completed`): with the flow already resumed, the source partitions are
resumed first and sought to their committed offsets after. Records fetched in between move the read position; the
seek then puts it back, the next record looks like a gap, and Faust notes the records between as acknowledged though
nobody saw them. Observed: 2-10 events lost in 6 of 14 rebalances of two workers at 400-1000 events/s.

Correction: the same method with the seek first.

Second fault (faust/tables/manager.py `on_start`): a fixed sleep of 1.0 s before recovery, of no use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery

from streams.kafka.faust_corrections.changelog_batches import Change, ChangelogBatches


class CorrectedRecovery(ChangelogBatches):
    """Table recovery that never lets a source partition run before it has been sought."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Finish recovery: seek, then resume. Same steps as Faust's, in the safe order."""
        consumer = self.app.consumer
        self.log.info("Restore complete!")
        await self.app.on_rebalance_complete.send()
        self._set_recovery_ended()
        callbacks = [
            asyncio.ensure_future(
                table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
            )
            for table in self.tables.values()
        ]
        if callbacks:
            await asyncio.wait(callbacks)
        assignment = consumer.assignment()
        if self.app.consumer_generation_id != generation_id:
            self.log.warning("Another rebalance began during recovery: leaving this one")
            return
        if assignment:
            self.log.info("Seek stream partitions to committed offsets.")
            await self._wait(consumer.perform_seek(), timeout=self.app.conf.broker_request_timeout)
            if self.app.consumer_generation_id != generation_id:
                return
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        self.completed.set()
        self.app.flow_control.resume()
        consumer.resume_flow()
        await self.app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        if not self.app.assignor.assigned_standbys():
            self.tables.on_standbys_ready()
        self.app.on_rebalance_end()
        self.log.info("Worker ready")


class CorrectedTableManager(TableManager):  # type: ignore[misc]
    """Table manager with the corrected recovery, starting at once."""

    #: Of the changes of a batch, in their order, those to apply; at most one of a key need be left. Set by the app.
    choose: Callable[[Sequence[Change]], Sequence[Change]] = staticmethod(lambda changes: changes)

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        """The recovery service, made on first use."""
        if self._recovery is None:
            self._recovery = CorrectedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Start recovery at once."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
