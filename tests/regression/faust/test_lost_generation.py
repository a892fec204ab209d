"""A member that was expelled while it slept went on writing, and retrying, for as long as a drain may take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.regression.faust.harness import Running, running, until

pytestmark = pytest.mark.embedded


async def _hold(_: Running, message: Any) -> None:
    """Nothing is ever finished."""


async def test_who_is_expelled_holds_nothing_before_any_callback_and_drains_nothing(noida: str) -> None:
    async with running(noida, handle=_hold) as state:
        drains: list[bool] = []

        async def drain() -> None:
            drains.append(state.consumer.holds_partitions)

        state.consumer.drain = drain
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        consumer, generation = state.consumer, state.app.consumer_generation_id
        assert consumer.held_generation == generation
        held_after: list[int | None] = []

        async def expel() -> None:
            # Told to the broker as well, which would wait for the old member otherwise; then it drops the membership,
            # as when a heartbeat is answered with UNKNOWN_MEMBER_ID.
            await consumer._thread._consumer._coordinator._maybe_leave_group()
            held_after.append(consumer.held_generation)

        asyncio.run_coroutine_threadsafe(expel(), consumer._thread.thread_loop)
        await until(lambda: bool(held_after), "the expulsion")
        assert held_after == [None]
        await until(lambda: consumer.held_generation not in (None, generation), "the next assignment")
        assert drains == []
        assert not consumer.is_current(generation)
        # What was in flight comes again.
        await until(lambda: len(state.offsets) == 6, "the three records again")
