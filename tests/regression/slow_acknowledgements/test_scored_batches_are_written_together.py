"""Batches were written one after the other, each waiting for Kafka: with three brokers a lane did 80 events a second.

At a moderate load batches are small, because scoring is quick and a slot is always free. Written singly, at some 50 ms
for an acknowledgement by all replicas, they piled up behind each other: thousands of scored rows, and processors idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.unit.agents.test_lane import Ends, Item, put, until


class SlowToAcknowledge(Ends):
    """Every write waits until it is let through."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[int] = []
        self.acknowledged = asyncio.Semaphore(0)

    async def finish(self, rows: Sequence[Item], results: Sequence[int]) -> None:
        self.writes.append(len(rows))
        await self.acknowledged.acquire()
        await super().finish(rows, results)


async def test_what_is_scored_while_kafka_acknowledges_goes_out_in_one_write() -> None:
    ends = SlowToAcknowledge()
    ends.gate.set()
    lane = ends.lane(batch_rows=1, backlog_rows=100)
    await put(lane, [Item(0)], offset=0)
    await until(lambda: bool(ends.writes))
    for number in range(1, 20):
        await put(lane, [Item(number)], offset=number)
    await until(lambda: len(ends.batches) == 20)
    assert ends.writes == [1]
    ends.acknowledged.release()
    await until(lambda: len(ends.writes) == 2)
    assert ends.writes == [1, 19]
    assert ends.completed == [0], "nothing is completed before its acknowledgement"
    ends.acknowledged.release()
    await lane.wait_empty()
    assert ends.finished == list(range(20))
    assert ends.completed == list(range(20))
    await lane.stop()


async def test_a_batch_that_is_still_scored_holds_back_those_after_it_but_not_those_before() -> None:
    ends = SlowToAcknowledge()
    ends.gate.set()
    ends.delays[2] = 0.2
    lane = ends.lane(batch_rows=1, in_flight=6, backlog_rows=100)
    for number in range(5):
        await put(lane, [Item(number)], offset=number)
    for _ in range(5):
        ends.acknowledged.release()
    await lane.wait_empty()
    assert ends.finished == list(range(5))
    assert sum(ends.writes[:-1]) == 2
    assert ends.writes[-1] == 3
    await lane.stop()
