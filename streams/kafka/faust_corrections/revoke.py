"""Revoke and leave: finish what is in flight and commit it *before* the partitions are let go, then touch nothing of them.

Faults:
- faust/transport/consumer.py `on_partitions_revoked`: the acknowledged and committed offsets of revoked partitions are
  popped first; only then is the app's hook called that would commit. So nothing is committed and every rebalance
  repeats up to a commit interval. Observed: 750-15,000 repeated events per rebalance. And `wait_empty` has no time
  limit: with one unacknowledged event SIGTERM hangs for ever, spinning with `gc.collect()`.
- `commit` called while another commit is under way waits for that one and returns. What was finished since the other
  began (all that was drained, when the half-second's commit began just before) stays uncommitted and is repeated.
- A rebalance that completes while the worker is stopping resumes the flow (faust/tables/recovery.py): records are taken
  that nobody will finish.
- faust/app/base.py `_on_rebalance_when_stopped`: a rebalance that meets a stopping app closes the Kafka client, and does
  so in the wrong thread's event loop. LeaveGroup is then never sent, and the other members wait for the session to
  expire before anyone takes the partitions.

Correction: stop the flow, let the app drain within a time limit, commit after any other commit, then do as Faust does.
Between that and the next assignment nothing is current (`is_current`), so what could not be drained is dropped and not
written a second time beside its new owner. A consumer that is leaving resumes no flow. `stream_wait_empty` must be False.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


class DrainOnRevoke:
    """Mixin for Faust's consumer."""

    #: Waits until what is in flight is finished, or its own time limit; set by the app.
    drain: Callable[[], Awaitable[None]] | None = None
    #: From an assignment until the drain before its end.
    holds_partitions: bool = False
    #: Set once, before the last drain: no rebalance makes the flow go on after this.
    leaving: bool = False

    @property
    def held_generation(self: Any) -> int | None:
        """The generation in which the partitions of now were assigned; None while none are held."""
        return int(self.app.consumer_generation_id) if self.holds_partitions else None

    def is_current(self: Any, generation_id: int) -> bool:
        """What was delivered in this generation may still be finished: its partitions have not been let go."""
        return bool(generation_id == self.held_generation)

    def on_expelled(self) -> None:
        """The group does not know this member any more: others own its partitions. Called in the consumer's thread."""
        self.holds_partitions = False

    async def drain_and_commit(self: Any) -> None:
        """Take no more records, finish those in flight, commit."""
        assignment = self.assignment()
        self.stop_flow()
        self.app.flow_control.suspend()
        self.pause_partitions(assignment)
        self.app.flow_control.clear()
        if self.drain is not None:
            await self.drain()
        while await self.maybe_wait_for_commit_to_finish():
            pass  # it may have begun before the last of these was finished
        await self.commit()
        self.holds_partitions = False

    def resume_flow(self: Any) -> None:
        """Let records be taken, unless the worker is leaving."""
        if not self.leaving:
            super().resume_flow()  # type: ignore[misc]

    async def on_partitions_revoked(self: Any, revoked: Any) -> None:  # noqa: ANN401
        """Drain and commit what is still held, then drop the bookkeeping."""
        if not self.app.should_stop and self.holds_partitions and self.assignment():
            await self.drain_and_commit()
        await super().on_partitions_revoked(revoked)  # type: ignore[misc]
        self.frontiers.clear()

    async def on_partitions_assigned(self: Any, assigned: Any, generation_id: int = 0) -> None:  # noqa: ANN401
        """What is delivered from now on is current."""
        self.holds_partitions = True
        await super().on_partitions_assigned(assigned, generation_id)  # type: ignore[misc]


class StopsInOrder:
    """Mixin for the Faust app."""

    def _on_rebalance_when_stopped(self) -> None:
        """Nothing to do: the consumer is about to leave the group by itself, and needs its connection for that."""
