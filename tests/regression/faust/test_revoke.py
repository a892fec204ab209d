"""Stock Faust drops its bookkeeping before it commits on a revoke, lets a commit under way stand for what was finished
since, goes on taking records when a rebalance ends while it stops, and then leaves its group without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import faust
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.faust_corrections import CorrectedApp
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


async def test_a_commit_under_way_does_not_stand_for_what_was_finished_since(noida: str) -> None:
    async with running(noida, handle=lambda *_: _nothing()) as state:
        older, release = await _hold_a_commit_under_way(state)

        async def drain() -> (
            None
        ):  # what is in flight comes to its end while the older commit is still on its way
            for batch in state.batches:
                _complete(state, batch[0].partition, batch[-1].offset)
            release.set()

        state.consumer.drain = drain
        await state.consumer.drain_and_commit()
        await older
        assert await state.committed() == 5


async def test_stock_faust_still_takes_the_older_commit_for_its_own(noida: str) -> None:
    """When this fails, upstream has mended it: delete the waiting in `drain_and_commit`."""
    async with running(noida, handle=lambda *_: _nothing()) as state:
        older, release = await _hold_a_commit_under_way(state)
        for batch in state.batches:
            _complete(state, batch[0].partition, batch[-1].offset)
        newer = asyncio.create_task(state.consumer.commit())
        await asyncio.sleep(0)
        release.set()
        assert not await newer
        await older
        assert await state.committed() == 1


async def test_what_was_let_go_is_neither_current_nor_completed_until_the_next_assignment(noida: str) -> None:
    async with running(noida, handle=lambda *_: _nothing()) as state:
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        consumer, generation = state.consumer, state.app.consumer_generation_id
        tp = next(tp for tp in state.source_tps() if tp.partition == 0)
        assert consumer.is_current(generation)
        await consumer.on_partitions_revoked(consumer.assignment())
        assert not consumer.is_current(generation)
        assert not consumer.complete(tp, 2, generation)
        await consumer.on_partitions_assigned(consumer.assignment(), generation)
        assert consumer.is_current(generation)
        assert not consumer.is_current(generation - 1)


async def test_a_rebalance_that_ends_while_the_worker_leaves_brings_no_records(noida: str) -> None:
    async with running(noida) as state:
        consumer = state.consumer
        consumer.leaving = True
        await consumer.drain_and_commit()
        await consumer.on_partitions_revoked(consumer.assignment())
        await consumer.on_partitions_assigned(consumer.assignment(), state.app.consumer_generation_id)
        await until(lambda: not state.app.rebalancing and state.app.tables.actives_ready, "recovery")
        await state.produce(3)
        await asyncio.sleep(1.0)  # several fetches
        assert not consumer.flow_active
        assert state.offsets == []


@pytest.mark.parametrize(("app_type", "left_behind"), [(CorrectedApp, 0), (faust.App, 1)])
async def test_a_worker_leaves_its_group_although_a_rebalance_meets_it_while_it_stops(
    noida: str, app_type: type[faust.App], left_behind: int
) -> None:
    """When the half of stock Faust fails, upstream has mended it: delete `StopsInOrder`."""
    async with running(noida, app_type=app_type) as state:
        assert await _members(noida, state.app.conf.id) == 1

        async def meanwhile() -> None:  # Faust calls this in the middle of stopping, as a rebalance would
            await state.app._on_partitions_revoked(state.consumer.assignment())
            await asyncio.sleep(0.5)

        _while_stopping(state, meanwhile)
    assert await _members(noida, state.app.conf.id) == left_behind


async def _hold_a_commit_under_way(state: Running) -> tuple[asyncio.Task[bool], asyncio.Event]:
    """Five records delivered, one of them finished, and its commit begun but not answered before the event is set."""
    sending, release = asyncio.Event(), asyncio.Event()
    commit = state.consumer._thread.commit

    async def slow(offsets: Any) -> bool:
        sending.set()
        await release.wait()
        return bool(await commit(offsets))

    await state.produce(1)
    await until(lambda: len(state.offsets) == 1, "the first record")
    await state.produce(4, first=1)
    await until(lambda: len(state.offsets) == 5, "five records")
    _complete(state, 0, 0)
    state.consumer._thread.commit = slow
    older = asyncio.create_task(state.consumer.commit())
    await sending.wait()
    return older, release


def _complete(state: Running, partition: int, last_offset: int) -> None:
    tp = next(tp for tp in state.source_tps() if tp.partition == partition)
    state.consumer.complete(tp, last_offset, state.app.consumer_generation_id)


def _while_stopping(state: Running, meanwhile: Callable[[], Awaitable[None]]) -> None:
    async def stopping(*_: Any, **__: Any) -> None:
        await meanwhile()

    state.app.on_before_shutdown.connect(stopping, weak=False)


async def _members(bootstrap: str, group: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (response,) = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    return len(response.groups[0][5])


async def _nothing() -> None:
    return
