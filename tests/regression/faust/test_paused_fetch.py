"""Stock Faust hands the live set of active partitions to the fetch: emptied meanwhile, paused partitions are read."""

from __future__ import annotations

import faust
import pytest
from faust.types import TP

from tests.regression.faust.harness import Running, running, until

pytestmark = pytest.mark.embedded


async def _fetch_with_no_active_partition(state: Running) -> list[tuple[str, int]]:
    consumer = state.consumer
    await state.app._fetcher.stop()
    consumer.pause_partitions(state.source_tps())
    await state.produce(5)
    # let aiokafka's background fetch bring the records into its buffer
    records = {}
    for _ in range(10):
        records = await consumer._getmany(set(), timeout=0.2)
        if records:
            break
    return [(tp.topic, len(fetched)) for tp, fetched in records.items()]


async def test_nothing_is_fetched_while_all_partitions_are_paused(noida: str) -> None:
    async with running(noida) as state:
        assert await _fetch_with_no_active_partition(state) == []


async def test_stock_faust_still_has_the_fault(noida: str) -> None:
    """When this fails, upstream has mended it: delete the correction."""
    for _ in range(6):  # a request must have been on its way when the partitions were paused
        async with running(noida, app_type=faust.App) as state:
            fetched = await _fetch_with_no_active_partition(state)
            if fetched:
                break
    assert [topic for topic, _ in fetched] == [state.topic]


async def test_a_partition_never_committed_is_sought_to_its_beginning(noida: str) -> None:
    async with running(noida) as state:
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        tp = TP(state.topic, 0)
        assert await state.consumer.position(tp) == 3
        state.app.flow_control.suspend()
        state.consumer.stop_flow()
        await state.consumer.perform_seek()
        assert await state.consumer.position(tp) == 0
