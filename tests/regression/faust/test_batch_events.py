"""One Faust event per fetched partition batch, in offset order, nothing twice and nothing left out."""

from __future__ import annotations

import pytest

from tests.regression.faust.harness import running, until

pytestmark = pytest.mark.embedded


async def test_a_fetch_is_one_event_with_all_its_records(noida: str) -> None:
    async with running(noida) as first:
        topic = first.topic
        await first.produce(200, partition=1)
        await until(lambda: len(first.offsets) == 200, "200 records")
    async with running(noida, topic=topic) as second:
        await until(lambda: len(second.offsets) == 200, "200 records again")
    assert second.offsets == [(1, offset) for offset in range(200)]
    assert len(second.batches) < 20, "200 records that waited came in few batches"
    assert [int(record.value) for batch in second.batches for record in batch] == list(range(200))


async def test_a_batch_already_read_is_not_delivered_again(noida: str) -> None:
    async with running(noida) as state:
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        tp = next(tp for tp in state.source_tps() if tp.partition == 0)
        assert state.consumer._batch_message(
            tp, state.batches[0], state.app.consumer_generation_id
        ) is None or (state.batches[0][-1].offset >= state.consumer._read_offset[tp])
        state.consumer._read_offset[tp] = 99
        assert state.consumer._batch_message(tp, state.batches[0], state.app.consumer_generation_id) is None
        assert state.consumer._batch_message(tp, [], state.app.consumer_generation_id) is None
