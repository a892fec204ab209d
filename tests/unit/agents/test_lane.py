"""The lane: order, batches without a timer, back-pressure, patience, failure, partitions taken away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.agents.lane import Delivery, Lane


@dataclass(eq=False)
class Item:
    number: int
    impatient: bool = False
    announcement: asyncio.Task[None] | None = None


@dataclass
class Ends:
    """What the lane did, and how long scoring takes."""

    finished: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    announced: list[int] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    stale: set[int] = field(default_factory=set)
    #: What the lane's clock shows; None for the real one.
    now_s: float | None = None
    delays: dict[int, float] = field(default_factory=dict)

    async def score(self, rows: Sequence[Item], waited_s: float) -> list[int]:
        self.waited_s.append(waited_s)
        self.batches.append(len(rows))
        await self.gate.wait()
        await asyncio.sleep(max((self.delays.get(row.number, 0.0) for row in rows), default=0.0))
        return [row.number * 10 for row in rows]

    def give_up(self, rows: Sequence[Item]) -> list[int]:
        self.given_up += [row.number for row in rows]
        return [-row.number for row in rows]

    async def finish(self, rows: Sequence[Item], results: Sequence[int]) -> None:
        expected = [-row.number if row.number in self.given_up else row.number * 10 for row in rows]
        assert list(results) == expected
        self.finished += [row.number for row in rows]

    async def announce(self, row: Item) -> None:
        self.announced.append(row.number)

    def lane(
        self,
        *,
        batch_rows: int = 4,
        in_flight: int = 2,
        backlog_rows: int = 8,
        patience_s: float = 10.0,
        turn_s: float | None = None,
        backlog_bytes: int = 1000,
    ) -> Lane[Item, int]:
        lane: Lane[Item, int] = Lane(
            score=self.score,
            give_up=self.give_up,
            finish=self.finish,
            complete=lambda delivery: self.completed.append(delivery.last_offset),
            is_current=lambda delivery: delivery.generation_id not in self.stale,
            announce=self.announce,
            fail=self.errors.append,
            batch_rows=batch_rows,
            in_flight=in_flight,
            backlog_rows=backlog_rows,
            patience_s=patience_s,
            turn_s=turn_s,
            backlog_bytes=backlog_bytes,
            clock=lambda: time.monotonic() if self.now_s is None else self.now_s,
        )
        lane.start()
        return lane


async def put(
    lane: Lane[Item, int], items: list[Item], *, offset: int, generation: int = 1, size_bytes: int = 0
) -> None:
    delivery = Delivery("messages", 0, offset, generation, len(items), size_bytes)
    await lane.begin(delivery)
    await lane.put(delivery, items)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it; the limit is only there to end a test that fails."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - of plain attributes
            await asyncio.sleep(0.005)


async def test_batches_grow_while_all_slots_are_taken() -> None:
    ends = Ends()
    lane = ends.lane(batch_rows=4, in_flight=1)
    await put(lane, [Item(0)], offset=0)
    await asyncio.sleep(0.01)
    await put(lane, [Item(n) for n in range(1, 7)], offset=6)
    await asyncio.sleep(0.01)
    assert ends.batches == [1], "one slot, taken"
    ends.gate.set()
    await lane.wait_empty()
    assert ends.batches == [1, 4, 2]
    assert ends.finished == list(range(7))
    assert ends.completed == [0, 6]
    await lane.stop()


async def test_a_slow_batch_holds_back_the_outputs_of_later_ones() -> None:
    ends = Ends(delays={0: 0.05})
    ends.gate.set()
    lane = ends.lane(batch_rows=1, in_flight=3)
    await put(lane, [Item(n) for n in range(3)], offset=2)
    await lane.wait_empty()
    assert ends.finished == [0, 1, 2]
    await lane.stop()


async def test_a_full_backlog_makes_put_wait() -> None:
    ends = Ends()
    lane = ends.lane(batch_rows=1, in_flight=1, backlog_rows=3)
    waiting = asyncio.create_task(put(lane, [Item(n) for n in range(5)], offset=4))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    assert lane.rows == 5
    ends.gate.set()
    await waiting
    await lane.wait_empty()
    assert lane.rows == 0
    await lane.stop()


async def test_rows_that_are_scored_but_not_acknowledged_fill_the_backlog_too() -> None:
    """A broker that gives records and takes none."""
    ends = Ends()
    ends.gate.set()
    acknowledged = asyncio.Event()

    async def finish(rows: Sequence[Item], _: Sequence[int]) -> None:
        await acknowledged.wait()
        ends.finished += [row.number for row in rows]

    ends.finish = finish  # type: ignore[method-assign]
    lane = ends.lane(batch_rows=2, in_flight=2, backlog_rows=6)

    async def feed() -> None:
        for number in range(50):
            await put(lane, [Item(number)], offset=number)

    feeding = asyncio.create_task(feed())
    await asyncio.sleep(0.05)
    assert sum(ends.batches) <= 6
    acknowledged.set()
    await feeding
    await lane.wait_empty()
    assert ends.finished == list(range(50))
    await lane.stop()


async def test_large_deliveries_wait_their_turn_and_count_as_in_flight_meanwhile() -> None:
    ends = Ends()
    lane = ends.lane(backlog_rows=100, backlog_bytes=1000)
    await put(lane, [Item(0)], offset=0, size_bytes=700)
    second = asyncio.create_task(put(lane, [Item(1)], offset=1, size_bytes=700))
    await asyncio.sleep(0.01)
    assert not second.done()
    assert lane.rows == 2, "a drain must wait for it"
    ends.gate.set()
    await second
    await lane.wait_empty()
    assert ends.finished == [0, 1]
    await lane.stop()


async def test_a_delivery_larger_than_the_backlog_is_taken_alone() -> None:
    ends = Ends()
    ends.gate.set()
    lane = ends.lane(backlog_bytes=10)
    for number in range(3):
        await put(lane, [Item(number)], offset=number, size_bytes=5000)
    await lane.wait_empty()
    assert ends.completed == [0, 1, 2]
    await lane.stop()


async def test_an_impatient_row_is_announced_when_scores_take_long_and_only_then() -> None:
    ends = Ends()
    lane = ends.lane(patience_s=0.02)
    await put(lane, [Item(0), Item(1, impatient=True)], offset=1)
    await asyncio.sleep(0.06)
    assert ends.announced == [1]
    ends.gate.set()
    await lane.wait_empty()
    await put(lane, [Item(2, impatient=True)], offset=2)
    await lane.wait_empty()
    await asyncio.sleep(0.05)
    assert ends.announced == [1], "scored within the patience: one alert with all evidence"
    await lane.stop()


async def test_rows_without_a_turn_in_time_are_finished_past_those_being_scored() -> None:
    """Scoring hangs: the first batch holds the only slot, and those behind it neither wait nor hold up the intake."""
    ends = Ends()
    lane = ends.lane(batch_rows=2, in_flight=1, backlog_rows=4, turn_s=0.02)
    await put(lane, [Item(0)], offset=0)
    await asyncio.sleep(0.01)
    for number in range(1, 20):
        await put(lane, [Item(number)], offset=number)  # would wait for ever behind a full backlog
    await until(lambda: lane.rows == 1)
    assert ends.batches == [1]
    assert ends.finished == ends.given_up == list(range(1, 20))
    assert ends.completed == list(range(1, 20))
    ends.gate.set()
    await lane.wait_empty()
    assert ends.finished[-1] == 0, "what was being scored gets its scores"
    assert ends.completed[-1] == 0
    await lane.stop()


async def test_no_more_rows_than_the_backlog_are_held_while_scoring_hangs() -> None:
    ends = Ends()
    held: list[int] = []

    async def finish(rows: Sequence[Item], _: Sequence[int]) -> None:
        held.append(lane.rows)
        ends.finished += [row.number for row in rows]

    ends.finish = finish  # type: ignore[method-assign]
    lane = ends.lane(batch_rows=3, in_flight=2, backlog_rows=8, turn_s=0.005)
    for number in range(0, 200, 4):
        await put(lane, [Item(number + n) for n in range(4)], offset=number + 3)
    assert max(held) <= 8 + 4, "a delivery of four comes on top of a backlog that was not full"
    ends.gate.set()
    await lane.wait_empty()
    assert sorted(ends.finished) == list(range(200))
    await lane.stop()


async def test_an_announcement_under_way_is_awaited_before_a_row_is_given_up() -> None:
    ends = Ends()
    order: list[str] = []
    under_way = asyncio.Event()

    async def slow_announce(row: Item) -> None:
        order.append(f"announcing {row.number}")
        await under_way.wait()
        order.append(f"announced {row.number}")

    async def finish(rows: Sequence[Item], _: Sequence[int]) -> None:
        order.extend(f"finished {row.number}" for row in rows)

    ends.announce = slow_announce  # type: ignore[method-assign]
    ends.finish = finish  # type: ignore[method-assign]
    ends.now_s = 0.0
    lane = ends.lane(batch_rows=1, in_flight=1, patience_s=0.02, turn_s=0.04)
    await put(lane, [Item(0), Item(1, impatient=True)], offset=1)
    await until(lambda: ends.batches == [1])
    ends.now_s = 0.03
    await until(lambda: order == ["announcing 1"])
    ends.now_s = 0.05
    await asyncio.sleep(0.05)
    assert order == ["announcing 1"]
    under_way.set()
    await until(lambda: lane.rows == 1)
    assert order == ["announcing 1", "announced 1", "finished 1"]
    ends.gate.set()
    await lane.wait_empty()
    await lane.stop()


async def test_a_row_that_is_given_up_before_its_announcement_is_due_is_not_announced() -> None:
    ends = Ends(now_s=0.0)
    lane = ends.lane(batch_rows=1, in_flight=1, patience_s=0.04, turn_s=0.02)
    await put(lane, [Item(0), Item(1, impatient=True)], offset=1)
    await until(lambda: ends.batches == [1])
    ends.now_s = 0.03
    await until(lambda: ends.finished == [1])
    ends.now_s = 1.0
    await asyncio.sleep(0.1)
    assert ends.announced == [], "its alert went out with its outputs"
    ends.gate.set()
    await lane.wait_empty()
    await lane.stop()


async def test_outputs_are_written_one_after_the_other_whichever_way_rows_come_to_their_results() -> None:
    """State that is sent again after an error would overtake newer state of the same conversation."""
    ends = Ends(now_s=0.0)
    written: list[str] = []
    go_on = asyncio.Event()

    async def finish(rows: Sequence[Item], _: Sequence[int]) -> None:
        written.append(f"begun {rows[0].number}")
        await go_on.wait()
        written.append(f"done {rows[0].number}")

    ends.finish = finish  # type: ignore[method-assign]
    lane = ends.lane(batch_rows=1, in_flight=1, turn_s=0.01)
    await put(lane, [Item(0), Item(1)], offset=1)
    await until(lambda: ends.batches == [1])
    ends.now_s = 1.0
    await until(lambda: written == ["begun 1"])
    ends.gate.set()
    await asyncio.sleep(0.05)
    assert written == ["begun 1"], "row 0 has its scores, and waits"
    go_on.set()
    await lane.wait_empty()
    assert written == ["begun 1", "done 1", "begun 0", "done 0"]
    await lane.stop()


async def test_scoring_is_told_how_long_its_first_row_has_waited() -> None:
    ends = Ends()
    lane = ends.lane(batch_rows=4, in_flight=1)
    await put(lane, [Item(0)], offset=0)
    await asyncio.sleep(0.01)
    await put(lane, [Item(1)], offset=1)
    await asyncio.sleep(0.05)
    ends.gate.set()
    await lane.wait_empty()
    assert ends.waited_s[0] < ends.waited_s[1]
    assert ends.waited_s[1] >= 0.05
    await lane.stop()


async def test_an_announcement_under_way_is_awaited_before_the_outputs() -> None:
    ends = Ends()
    order: list[str] = []

    async def slow_announce(row: Item) -> None:
        await asyncio.sleep(0.05)
        order.append(f"announced {row.number}")

    async def finish(rows: Sequence[Item], _: Sequence[int]) -> None:
        order.extend(f"finished {row.number}" for row in rows)

    ends.announce = slow_announce  # type: ignore[method-assign]
    ends.finish = finish  # type: ignore[method-assign]
    lane = ends.lane(patience_s=0.01)
    await put(lane, [Item(0, impatient=True)], offset=0)
    await asyncio.sleep(0.03)
    ends.gate.set()
    await lane.wait_empty()
    assert order == ["announced 0", "finished 0"]
    await lane.stop()


async def test_an_error_stops_the_lane_and_completes_nothing() -> None:
    ends = Ends()
    ends.gate.set()

    async def fail_to_finish(rows: Sequence[Item], _: Sequence[int]) -> None:
        raise ConnectionError("no broker")

    ends.finish = fail_to_finish  # type: ignore[method-assign]
    lane = ends.lane()
    await put(lane, [Item(0)], offset=0)
    await asyncio.sleep(0.02)
    assert [str(error) for error in ends.errors] == ["no broker"]
    assert lane.failed
    assert ends.completed == []
    await lane.stop()


async def test_rows_of_a_partition_taken_away_are_dropped() -> None:
    ends = Ends(stale={1})
    ends.gate.set()
    lane = ends.lane()
    await put(lane, [Item(0)], offset=0, generation=1)
    await put(lane, [Item(1)], offset=1, generation=2)
    await lane.wait_empty()
    assert ends.finished == [1]
    await lane.stop()


@pytest.mark.parametrize("in_flight", [1, 3])
def test_whatever_the_sizes_and_speeds_everything_finishes_once_in_order(in_flight: int) -> None:
    @settings(max_examples=30, deadline=None)
    @given(
        sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8),
        slow=st.sets(st.integers(0, 40), max_size=4),
        batch_rows=st.integers(1, 5),
    )
    def check(sizes: list[int], slow: set[int], batch_rows: int) -> None:
        async def scenario() -> Ends:
            ends = Ends(delays=dict.fromkeys(slow, 0.001))
            ends.gate.set()
            lane = ends.lane(batch_rows=batch_rows, in_flight=in_flight, backlog_rows=6)
            number = 0
            for size in sizes:
                items = [Item(number + i) for i in range(size)]
                number += size
                await put(lane, items, offset=number - 1)
            await lane.wait_empty()
            await lane.stop()
            return ends

        ends = asyncio.run(scenario())
        total = sum(sizes)
        assert ends.finished == list(range(total))
        assert max(ends.batches) <= batch_rows
        assert ends.completed[-1] == total - 1
        assert ends.completed == sorted(ends.completed)

    check()
