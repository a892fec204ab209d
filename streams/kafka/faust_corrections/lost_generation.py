"""A member that its group has expelled owns nothing from that moment on.

Fault (aiokafka/consumer/group_coordinator.py `_on_join_prepare`, Faust likewise): a worker that was frozen for longer
than its session learns from its first heartbeat that it is no member any more. It then goes through the same callback
as in an orderly rebalance, which drains: what was in flight is written and tried again for as long as a drain may take,
after the states and alerts of the partitions' new owner.

Correction: where the coordinator drops its membership, the consumer holds no partitions, at once and before any
callback; nothing is drained or committed for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class LostGeneration:
    """Mixin for Faust's consumer thread."""

    async def on_start(self: Any) -> None:
        """Start aiokafka's consumer and listen for its expulsion."""
        await super().on_start()  # type: ignore[misc]
        heed_expulsion(self._consumer._coordinator, self.consumer.on_expelled)


def heed_expulsion(coordinator: Any, expelled: Callable[[], None]) -> None:  # noqa: ANN401 - aiokafka has no types
    """Make an aiokafka `GroupCoordinator` say when the group no longer knows it."""
    reset = coordinator.reset_generation

    def heeded() -> None:
        expelled()
        reset()

    coordinator.reset_generation = heeded
