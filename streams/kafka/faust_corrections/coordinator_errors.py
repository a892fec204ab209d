"""Errors of the group's coordination end the worker, in their own words.

Fault (faust/transport/drivers/aiokafka.py `_fetch_records`): aiokafka hands what ends the coordination of a group, such as
a missing ACL, to whoever calls `getmany` next, and waits until somebody does. Faust reads from the fetcher beneath it, and
only once it has partitions; so a worker that may not join its group waited for its first assignment for ever, and ended as
a stall a minute later, with no word about the cause.

Correction: such an error crashes the thread, and with it the worker, whose supervisor starts another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaError

from streams.kafka.permissions import explained


class CoordinatorErrors:
    """Mixin for Faust's consumer thread."""

    async def on_start(self: Any) -> None:
        """Start aiokafka's consumer and listen for what its coordination ends with."""
        await super().on_start()  # type: ignore[misc]
        heed_errors(self._consumer._coordinator, self.crash)


def heed_errors(coordinator: Any, crash: Callable[[Exception], Awaitable[Any]]) -> None:  # noqa: ANN401 - aiokafka has no types
    """Make an aiokafka `GroupCoordinator` tell `crash` of errors that it keeps for its user."""
    push = coordinator._push_error_to_user
    crashes: set[asyncio.Future[Any]] = set()  # the loop holds tasks by weak references only

    def tell(error: BaseException | None) -> None:
        if isinstance(error, Exception):
            said = explained(error, operation="Read") if isinstance(error, KafkaError) else error
            crashes.add(asyncio.ensure_future(crash(said)))

    def pushed(error: KafkaError) -> Awaitable[Any]:
        tell(error)
        waiting: Awaitable[Any] = push(error)
        return waiting

    coordinator._push_error_to_user = pushed
    coordinator._coordination_task.add_done_callback(
        lambda task: None if task.cancelled() else tell(task.exception())
    )
