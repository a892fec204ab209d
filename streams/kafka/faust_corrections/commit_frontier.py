"""Commits: per partition the offset below which *everything* is finished, told by the agents, never guessed.

Faults:
- faust/transport/consumer.py `_new_offset` guesses the offset from a list of acknowledged offsets: a duplicate in the
  list makes commits crawl by one per interval, and with acknowledgements out of order the commit skips the message
  still in flight.
- faust/streams.py acknowledges an event that it *skips* (flow suspended between queue and stream), and one whose
  handler raised: both are committed though nobody handled them.
- `_commit_offsets` notes an offset as committed even when Kafka refused the commit.

Correction: for batch topics Faust's acknowledgement means nothing. `deliver` notes each batch handed to an agent,
`complete` is called by the agent when the batch's outputs are acknowledged by Kafka, and the committable offset is
the end of the longest finished run from the start.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from faust.types import TP


class Frontier:
    """What has been delivered from one partition, in order, and what of it is finished (pure).

    >>> frontier = Frontier()
    >>> frontier.deliver(last_offset=9); frontier.deliver(last_offset=19)
    >>> frontier.complete(last_offset=19); frontier.committable
    >>> frontier.complete(last_offset=9); frontier.committable
    20
    """

    def __init__(self) -> None:
        self._delivered: deque[int] = deque()
        self._done: set[int] = set()
        #: The offset to commit (one past the last finished record), None before anything is finished.
        self.committable: int | None = None

    def deliver(self, *, last_offset: int) -> None:
        """Note a batch, by the offset of its last record, as handed over."""
        self._delivered.append(last_offset)

    def complete(self, *, last_offset: int) -> None:
        """Note a batch as finished and advance over all that are finished from the start."""
        self._done.add(last_offset)
        while self._delivered and self._delivered[0] in self._done:
            finished = self._delivered.popleft()
            self._done.discard(finished)
            self.committable = finished + 1

    @property
    def in_flight(self) -> int:
        """Batches delivered and not yet below the frontier."""
        return len(self._delivered)


class CommitFrontier:
    """Mixin for Faust's consumer."""

    #: Topics whose records arrive as batches and whose commits follow the frontier.
    batch_topics: frozenset[str] = frozenset()

    def on_init(self: Any) -> None:
        """Start with no partition known."""
        super().on_init()  # type: ignore[misc]
        self.frontiers: defaultdict[TP, Frontier] = defaultdict(Frontier)

    def complete(self: Any, tp: TP, last_offset: int, generation_id: int) -> bool:
        """Say that a batch is finished and its outputs are acknowledged. False if the partition was let go meanwhile."""
        if not self.is_current(generation_id):
            return False
        self.frontiers[tp].complete(last_offset=last_offset)
        self._acked[tp]  # a key here makes Faust's commit loop look at the partition
        return True

    def committed_offset(self: Any, tp: TP) -> int | None:
        """The offset last committed for the partition as far as this worker knows."""
        offset = self._committed_offset[tp]
        return int(offset) if offset is not None else None

    def standings(self: Any) -> dict[TP, tuple[int | None, int | None, int | None]]:
        """Per assigned batch partition: the offset below which all is finished, the end of the log as far as fetches
        told, and the committed offset."""
        found: dict[TP, tuple[int | None, int | None, int | None]] = {}
        for tp in self.assignment():
            if tp.topic in self.batch_topics:
                done = self.frontiers[tp].committable if tp in self.frontiers else None
                committed = self.committed_offset(tp)
                found[tp] = (done if done is not None else committed, self.highwater(tp), committed)
        return found

    def ack(self: Any, message: Any) -> bool:  # noqa: ANN401
        """Faust's acknowledgement: for batch topics it only ends the tracking, the frontier decides on commits."""
        if message.topic not in self.batch_topics:
            return bool(super().ack(message))  # type: ignore[misc]
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def _new_offset(self: Any, tp: TP) -> int | None:
        if tp.topic not in self.batch_topics:
            offset: int | None = super()._new_offset(tp)  # type: ignore[misc]
            return offset
        frontier: Frontier = self.frontiers[tp]
        return frontier.committable

    async def _add_gap(self: Any, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.batch_topics:
            await super()._add_gap(tp, offset_from, offset_to)  # type: ignore[misc]

    async def _commit_offsets(
        self: Any,
        offsets: Mapping[TP, int],
        start_new_transaction: bool = True,
    ) -> bool:
        before = {tp: self._committed_offset[tp] for tp in offsets}
        committed = bool(await super()._commit_offsets(offsets, start_new_transaction))  # type: ignore[misc]
        if not committed:
            self._committed_offset.update(before)  # Kafka refused: try again at the next interval
        return committed

    async def perform_seek(self: Any) -> None:
        """Seek to the committed offsets; what was in flight will come again, so the frontiers start anew."""
        self.frontiers.clear()
        await super().perform_seek()  # type: ignore[misc]
