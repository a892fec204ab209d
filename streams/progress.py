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

    `begin` and `end` are the log's bounds, as far as they are known.
    """

    done: int | None
    end: int | None
    committed: int | None = None
    begin: int | None = None

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


class Progress:
    """Watches standings over time. `clock` values are handed in with each observation, in seconds."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._moved_at: dict[Partition, tuple[tuple[int | None, int | None], float]] = {}
        self._waiting_since: float | None = None

    def observe(
        self, now_s: float, standings: Mapping[Partition, Standing], *, rebalancing: bool
    ) -> tuple[Stalled, ...]:
        """The partitions that stand still. A rebalance that never ends counts as a stall of the whole worker."""
        for gone in self._moved_at.keys() - standings.keys():
            del self._moved_at[gone]
        if rebalancing:
            self._moved_at = {partition: (_marks(s), now_s) for partition, s in standings.items()}
            if self._waiting_since is None:
                self._waiting_since = now_s
            waited_s = now_s - self._waiting_since
            return (Stalled(("(rebalance)", -1), 0, waited_s),) if waited_s >= self._stall_s else ()
        self._waiting_since = None
        stalled = []
        for partition, standing in standings.items():
            before = self._moved_at.get(partition)
            at_rest = standing.lag == 0 and not standing.uncommitted
            if before is None or at_rest or before[0] != _marks(standing):
                self._moved_at[partition] = (_marks(standing), now_s)
                continue
            for_s = now_s - before[1]
            if for_s >= self._stall_s:
                stalled.append(Stalled(partition, standing.lag, for_s))
        return tuple(stalled)

    def moved(self, now_s: float, partition: Partition, standing: Standing) -> None:
        """Take back a suspicion: nothing waits there after all."""
        self._moved_at[partition] = (_marks(standing), now_s)


def _marks(standing: Standing) -> tuple[int | None, int | None]:
    return standing.done, standing.committed
