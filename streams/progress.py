"""Is the worker getting on? Lag per partition, and which partitions stand still although records wait (pure).

Faust is known to stop without an error after a rebalance or a lost broker; a worker that stands still must say so and
go, so that its supervisor starts another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a partition is: `done` is the offset below which all is finished, `end` the broker's high watermark."""

    done: int | None
    end: int | None

    @property
    def lag(self) -> int:
        """Records that wait or are in flight."""
        return max(0, (self.end or 0) - (self.done or 0))


@dataclass(frozen=True, slots=True)
class Stalled:
    """A partition that has not moved for `for_s` seconds with `lag` records waiting."""

    partition: Partition
    lag: int
    for_s: float


class Progress:
    """Watches standings over time. `clock` values are handed in with each observation, in seconds."""

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._moved_at: dict[Partition, tuple[int | None, float]] = {}
        self._waiting_since: float | None = None

    def observe(
        self, now_s: float, standings: Mapping[Partition, Standing], *, rebalancing: bool
    ) -> tuple[Stalled, ...]:
        """The partitions that stand still. A rebalance that never ends counts as a stall of the whole worker."""
        for gone in self._moved_at.keys() - standings.keys():
            del self._moved_at[gone]
        if rebalancing:
            self._moved_at = {partition: (s.done, now_s) for partition, s in standings.items()}
            if self._waiting_since is None:
                self._waiting_since = now_s
            waited_s = now_s - self._waiting_since
            return (Stalled(("(rebalance)", -1), 0, waited_s),) if waited_s >= self._stall_s else ()
        self._waiting_since = None
        stalled = []
        for partition, standing in standings.items():
            before = self._moved_at.get(partition)
            if before is None or standing.lag == 0 or before[0] != standing.done:
                self._moved_at[partition] = (standing.done, now_s)
                continue
            for_s = now_s - before[1]
            if for_s >= self._stall_s:
                stalled.append(Stalled(partition, standing.lag, for_s))
        return tuple(stalled)
