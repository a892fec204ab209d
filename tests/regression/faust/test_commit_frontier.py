"""Stock Faust guesses what to commit from a list of acknowledgements; the frontier is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.faust_corrections.commit_frontier import Frontier
from tests.regression.faust.harness import Running, running, until


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=30), order=st.randoms(use_true_random=False))
def test_the_frontier_is_the_longest_finished_prefix(sizes: list[int], order: Any) -> None:
    lasts: list[int] = []
    for size in sizes:
        lasts.append((lasts[-1] if lasts else -1) + size)
    frontier = Frontier()
    for last in lasts:
        frontier.deliver(last_offset=last)
    finished: set[int] = set()
    for last in order.sample(lasts, len(lasts)):
        frontier.complete(last_offset=last)
        finished.add(last)
        prefix = [x for i, x in enumerate(lasts) if all(y in finished for y in lasts[: i + 1])]
        assert frontier.committable == (prefix[-1] + 1 if prefix else None)
    assert frontier.in_flight == 0


@pytest.mark.embedded
async def test_nothing_is_committed_past_a_batch_in_flight(noida: str) -> None:
    held: list[Any] = []

    async def keep_the_first(state: Running, message: Any) -> None:
        if not held:
            held.append(message)
        else:
            state.consumer.complete(message.tp, message.offset, message.generation_id)

    async with running(noida, handle=keep_the_first) as state:
        await state.produce(2)
        await until(lambda: bool(held), "the first batch")
        await state.produce(3, first=2)
        await until(lambda: len(state.offsets) == 5, "the later records")
        await state.consumer.commit()
        assert await state.committed() in (None, 0)
        state.consumer.complete(held[0].tp, held[0].offset, held[0].generation_id)
        await state.consumer.commit()
        assert await state.committed() == 5


@pytest.mark.embedded
async def test_an_acknowledgement_by_faust_commits_nothing(noida: str) -> None:
    """Faust acknowledges events that it skips between queue and stream, and events whose handler raised."""

    async def only_ack(state: Running, message: Any) -> None:
        state.consumer.ack(message)

    async with running(noida, handle=only_ack) as state:
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        await state.consumer.commit()
        assert await state.committed() in (None, 0)


@pytest.mark.embedded
async def test_a_batch_of_an_earlier_generation_completes_nothing(noida: str) -> None:
    async with running(noida, handle=lambda *_: _nothing()) as state:
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        tp = next(iter(state.source_tps()))
        assert not state.consumer.complete(tp, 2, state.app.consumer_generation_id - 1)
        await state.consumer.commit()
        assert await state.committed() in (None, 0)


@pytest.mark.embedded
async def test_a_commit_that_kafka_refused_is_tried_again(noida: str) -> None:
    async with running(noida) as state:
        await state.produce(3)
        await until(lambda: len(state.offsets) == 3, "three records")
        thread_commit = state.consumer._thread.commit

        async def refuse(_: Any) -> bool:
            return False

        state.consumer._thread.commit = refuse
        assert not await state.consumer.commit()
        state.consumer._thread.commit = thread_commit
        assert await state.consumer.commit()
        assert await state.committed() == 3


async def _nothing() -> None:
    return
