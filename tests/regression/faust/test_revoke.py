"""Stock Faust drops its bookkeeping before it commits on a revoke: everything since the last commit is repeated."""

from __future__ import annotations

import asyncio
from typing import Any

import faust
import pytest

from tests.regression.faust.harness import Running, running, until

pytestmark = pytest.mark.embedded


async def test_what_is_finished_is_committed_on_revoke(noida: str) -> None:
    async with running(noida) as state:  # commit interval: 60 s
        await state.produce(4)
        await until(lambda: len(state.offsets) == 4, "four records")
        assert await state.committed() in (None, 0)
        await state.consumer.on_partitions_revoked(state.consumer.assignment())
        assert await state.committed() == 4


async def test_stock_faust_still_has_the_fault(noida: str) -> None:
    """When this fails, upstream has mended it: delete the correction."""

    async def acknowledge(state: Running, message: Any) -> None:
        state.consumer.ack(message)

    async with running(noida, app_type=faust.App, handle=acknowledge) as state:
        await state.produce(4)
        await until(lambda: len(state.offsets) == 4, "four records")
        await state.consumer.on_partitions_revoked(state.consumer.assignment())
        assert await state.committed() in (None, 0)


async def test_the_app_drains_before_the_commit(noida: str) -> None:
    unfinished: list[Any] = []

    async def keep(_: Running, message: Any) -> None:
        unfinished.append(message)

    async with running(noida, handle=keep) as state:

        async def drain() -> None:
            await asyncio.sleep(0.1)
            for message in unfinished:
                state.consumer.complete(message.tp, message.offset, message.generation_id)

        state.consumer.drain = drain
        await state.produce(6)
        await until(lambda: len(state.offsets) == 6, "six records")
        await state.consumer.on_partitions_revoked(state.consumer.assignment())
        assert await state.committed() == 6


async def test_a_second_member_repeats_nothing(tansu: str) -> None:
    async with running(tansu) as first:
        await first.produce(20, partition=0)
        await first.produce(20, partition=1)
        await until(lambda: len(first.offsets) == 40, "the first member")
        async with running(tansu, app_id=first.app.conf.id, topic=first.topic) as second:
            await until(
                lambda: len(second.source_tps()) == 1 and len(first.source_tps()) == 1, "a shared assignment"
            )
            await first.produce(5, partition=0, first=20)
            await first.produce(5, partition=1, first=20)
            await until(lambda: len(first.offsets) + len(second.offsets) >= 50, "ten more")
            seen = first.offsets + second.offsets
    assert sorted(seen) == [(partition, offset) for partition in (0, 1) for offset in range(25)]
