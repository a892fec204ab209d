"""Is the worker getting on? Lag per partition, and which partitions stand still although records wait (pure).

Faust is known to stop without an error after a rebalance or a lost broker; a worker that stands still must say so and
go, so that its supervisor starts another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a partition is: everything below `done` is finished, everything below `committed` is committed.

    `begin` and `end` are the log's bounds, as far as they are known. `handled` are the events of the topic that were
    handled so far, if some of the partition are under way.
    """

    done: int | None
    end: int | None
    committed: int | None = None
    begin: int | None = None
    handled: int | None = None

    @property
    def reached(self) -> int:
        """The offset that is next: what expired before it was read is nobody's work any more."""
        return max(self.done or 0, self.begin or 0)

    @property
    def lag(self) -> int:
        """Records that wait or are in flight."""
        return max(0, (self.end or 0) - self.reached)

    @property
    def uncommitted(self) -> bool:
        """Something is finished and not yet committed."""
        return self.done is not None and self.done > (self.committed or 0)

    def within(self, bounds: tuple[int, int] | None) -> Standing:
        """The same with what the broker says of the log; the later end counts, for some brokers name one too early."""
        if bounds is None:
            return self
        return replace(self, begin=bounds[0], end=max(self.end or 0, bounds[1]))


@dataclass(frozen=True, slots=True)
class Stalled:
    """A partition that has not moved for `for_s` seconds with `lag` records waiting, or a commit that never comes."""

    partition: Partition
    lag: int
    for_s: float


@dataclass(slots=True)
class _Seen:
    """When a partition moved last, and what its topic had handled by then, and by now."""

    marks: tuple[int | None, int | None]
    at_s: float
    handled: int | None
    handled_now: int | None
    handled_at_s: float

    @classmethod
    def of(cls, standing: Standing, now_s: float) -> _Seen:
        return cls(_marks(standing), now_s, standing.handled, standing.handled, now_s)

    def note_handled(self, handled: int | None, now_s: float) -> None:
        if handled != self.handled_now:
            self.handled_now, self.handled_at_s = handled, now_s
        if self.handled is None:
            self.handled = handled


class Progress:
    """Watches standings over time. `clock` values are handed in with each observation, in seconds.

    What is finished moves by whole deliveries, and one may stand behind `events_ahead` others: a worker that handles 34
    events a second needs a minute for a full lane of 2,048. So while a topic's events go on being handled, a partition
    of which some are under way waits its turn; but not longer than until all that can stand before them is handled.
    """

    def __init__(self, stall_s: float, *, events_ahead: int = 0) -> None:
        self._stall_s = stall_s
        self._events_ahead = events_ahead
        self._seen: dict[Partition, _Seen] = {}
        self._waiting_since: float | None = None

    def observe(
        self, now_s: float, standings: Mapping[Partition, Standing], *, rebalancing: bool
    ) -> tuple[Stalled, ...]:
        """The partitions that stand still. A rebalance that never ends counts as a stall of the whole worker."""
        for gone in self._seen.keys() - standings.keys():
            del self._seen[gone]
        if rebalancing:
            self._seen = {partition: _Seen.of(s, now_s) for partition, s in standings.items()}
            if self._waiting_since is None:
                self._waiting_since = now_s
            waited_s = now_s - self._waiting_since
            return (Stalled(("(rebalance)", -1), 0, waited_s),) if waited_s >= self._stall_s else ()
        self._waiting_since = None
        stalled = []
        for partition, standing in standings.items():
            before = self._seen.get(partition)
            at_rest = standing.lag == 0 and not standing.uncommitted
            if before is None or at_rest or before.marks != _marks(standing):
                self._seen[partition] = _Seen.of(standing, now_s)
                continue
            before.note_handled(standing.handled, now_s)
            for_s = now_s - before.at_s
            if for_s >= self._stall_s and not self._waits_its_turn(before, now_s):
                stalled.append(Stalled(partition, standing.lag, for_s))
        return tuple(stalled)

    def moved(self, now_s: float, partition: Partition, standing: Standing) -> None:
        """Take back a suspicion: nothing waits there after all."""
        self._seen[partition] = _Seen.of(standing, now_s)

    def _waits_its_turn(self, seen: _Seen, now_s: float) -> bool:
        if seen.handled is None or seen.handled_now is None:
            return False
        goes_on = now_s - seen.handled_at_s < self._stall_s
        return goes_on and seen.handled_now - seen.handled <= self._events_ahead


def _marks(standing: Standing) -> tuple[int | None, int | None]:
    return standing.done, standing.committed
