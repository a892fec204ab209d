"""A delivery whose intake was held up by a full lane went on after its partition had another owner.

Its messages joined a table that had been cleared: states without their past, newer than what the other owner wrote, and
taken for the last word when the partition came back. And alerts by rules alone came after the other owner's fuller ones.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from streams.agents.intake import take_in
from streams.agents.lane import Delivery
from streams.screening import Source
from tests.unit.agents.test_lane import Ends, Item, put, until


@dataclass
class Record:
    offset: int
    value: bytes = b"{}"
    key: bytes = b"k"
    topic: str = "messages"
    partition: int = 0
    timestamp: int = 1_700_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


async def test_a_delivery_that_is_held_up_is_not_examined_further_when_its_partition_is_gone() -> None:
    ends = Ends()
    lane: Any = ends.lane(backlog_rows=32, backlog_bytes=10_000)
    examined: list[int] = []

    def examine(source: Source) -> Item:
        examined.append(source.position.offset)
        return Item(source.position.offset)

    records = [Record(offset) for offset in range(100)]
    delivery = Delivery("messages", 0, 99, 1, len(records), size_bytes=200)
    intake = asyncio.create_task(
        take_in(delivery, records, lane=lane, examine=examine, max_record_bytes=1000)  # type: ignore[arg-type]
    )
    await until(lambda: len(examined) == 32)
    await asyncio.sleep(0.01)
    assert not intake.done(), "the lane is full"
    ends.stale.add(1)
    ends.gate.set()
    await intake
    await lane.wait_empty()
    assert examined == list(range(32))
    assert ends.finished == []
    assert lane.rows == 0
    # The room that it took is free again: one more of the full size goes in at once.
    async with asyncio.timeout(20):
        await put(lane, [Item(200)], offset=200, generation=2, size_bytes=10_000)
        await lane.wait_empty()
    assert ends.finished == [200]
    assert 99 not in ends.completed
    await lane.stop()


async def test_nothing_is_announced_for_a_partition_that_is_gone() -> None:
    ends = Ends()
    lane = ends.lane(patience_s=0.02)
    await put(lane, [Item(0, impatient=True)], offset=0, generation=1)
    await put(lane, [Item(1, impatient=True)], offset=1, generation=2)
    ends.stale.add(1)
    await until(lambda: bool(ends.announced))
    assert ends.announced == [1]
    ends.gate.set()
    await lane.wait_empty()
    assert ends.announced == [1]
    await lane.stop()
