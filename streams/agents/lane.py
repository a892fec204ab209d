"""A lane: rows in, scored in micro-batches without a timer, outputs acknowledged strictly in order, then completed.

While fewer than `in_flight` batches are out, whatever waits is dispatched at once; otherwise rows pile up and the next
batch is larger. So batches are small when it is quiet (low latency) and large at peaks (low cost), with no delay to
tune. Batches finish in the order they were dispatched, so a conversation's outputs and state keep their order.

Scoring must not hold up those who put rows in, or rules would wait behind models. A row that has waited `turn_s` for
its turn is given up: it finishes at once, past the batches that are still being scored, with the result that
`give_up` has for it. So a lane takes `backlog_rows` / `turn_s` rows a second however slow scoring is, or hangs.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Row(Protocol):
    """What a lane needs to know of a row."""

    @property
    def impatient(self) -> bool:
        """Rules fired: if scores take longer than the patience, `announce` is called for the row."""
        ...

    #: The announcement under way, awaited before the row's outputs are written.
    announcement: asyncio.Task[None] | None


#: Bytes of records held by a lane: backlogs are counted in rows, but listings bring pictures along. An event takes
#: some three times its record while it waits (bytes, text, decoded picture), so a lane holds 200 MB at worst.
BACKLOG_BYTES = 64 << 20

#: Rows of one or more batches that are written at once. Writing waits for Kafka's acknowledgement, some 50 ms from three
#: busy brokers: batches of 4 rows one after the other would be 80 rows a second, 256 rows are 5,000. Concluding them
#: holds the event loop for some 30 ms.
WRITTEN_ROWS = 256

R = TypeVar("R", bound=Row)
S = TypeVar("S")


@dataclass(slots=True)
class Delivery:
    """One batch of records as Faust delivered it; `left` counts its rows that are not finished."""

    topic: str
    partition: int
    last_offset: int
    generation_id: int
    left: int
    size_bytes: int = 0


@dataclass(slots=True, eq=False)
class _Waiting(Generic[R]):
    """A row before its turn; `since_s` by the lane's clock."""

    delivery: Delivery
    row: R
    since_s: float


class Lane(Generic[R, S]):
    """Micro-batches with bounded memory. Made once per agent; `start` and `stop` are called by the app.

    - `score(rows, waited_s)` gives one result per row and raises only for faults of the program; the first of the rows
      has waited so long.
    - `give_up(rows)` gives the results of rows that waited `turn_s` and were not scored; None as `turn_s` for a lane
      whose rows may wait for ever.
    - `finish(rows, results)` writes the outputs and returns when Kafka has acknowledged them.
    - `complete(delivery)` is called when the last row of a delivery is finished.
    - `is_current(delivery)` is False once its partition has been taken away: its rows are dropped, their new owner
      will get them again.
    - `announce(row)` writes what is known of a row by rules alone.
    - `fail(error)` is called once when one of these raises: the lane stops, nothing more is completed.
    """

    def __init__(
        self,
        *,
        score: Callable[[Sequence[R], float], Awaitable[Sequence[S]]],
        give_up: Callable[[Sequence[R]], Sequence[S]],
        finish: Callable[[Sequence[R], Sequence[S]], Awaitable[None]],
        complete: Callable[[Delivery], None],
        is_current: Callable[[Delivery], bool],
        announce: Callable[[R], Awaitable[None]],
        fail: Callable[[BaseException], None],
        batch_rows: int,
        in_flight: int,
        backlog_rows: int,
        patience_s: float,
        turn_s: float | None,
        backlog_bytes: int = BACKLOG_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._score = score
        self._give_up = give_up
        self._finish = finish
        self._complete = complete
        self._is_current = is_current
        self._announce = announce
        self._fail = fail
        self._batch_rows = batch_rows
        self._backlog_rows = backlog_rows
        self._backlog_bytes = backlog_bytes
        self._held_rows = 0
        self._held_bytes = 0
        self._patience_s = patience_s
        self._turn_s = turn_s
        self._clock = clock
        self._slots = asyncio.Semaphore(in_flight)
        self._waiting: deque[_Waiting[R]] = deque()
        self._dispatched: deque[tuple[list[_Waiting[R]], asyncio.Future[Sequence[S]]]] = deque()
        self._some_dispatched = asyncio.Event()
        # One at a time writes outputs: state that is sent again after an error must not overtake newer state.
        self._writing = asyncio.Lock()
        self._impatient: deque[tuple[float, _Waiting[R]]] = deque()
        self._unfinished: set[int] = set()
        self._rows_wait = asyncio.Event()
        self._has_room = asyncio.Event()
        self._someone_impatient = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._tasks: list[asyncio.Task[None]] = []
        #: Rows put and not yet finished.
        self.rows = 0
        #: Rows finished or dropped since the lane was made.
        self.handled = 0
        self.failed = False

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [
            asyncio.create_task(self._guarded(loop()), name=f"lane-{loop.__name__}")
            for loop in (
                self._dispatch,
                self._complete_in_order,
                self._give_up_when_late,
                self._announce_when_due,
            )
        ]

    async def stop(self) -> None:
        """Stop at once; what is unfinished stays uncommitted and will be delivered again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._dispatched:
            self._dispatched.popleft()[1].cancel()

    async def begin(self, delivery: Delivery) -> None:
        """Take responsibility for a delivery of `left` rows, which `put` will bring; waits while its bytes are too many.

        It counts as in flight from the first moment, so that a drain waits for it. One that is larger than the
        backlog is taken alone.
        """
        self.rows += delivery.left
        self._empty.clear()
        while self._held_bytes and self._held_bytes + delivery.size_bytes > self._backlog_bytes:
            await self._wait_for_room()
        self._held_bytes += delivery.size_bytes

    async def put(self, delivery: Delivery, rows: Sequence[R]) -> None:
        """Take rows of a delivery that was begun; waits while the backlog is full.

        What is scored but not acknowledged by Kafka counts: a broker that gives records and takes none would
        otherwise fill the memory.
        """
        now_s = self._clock()
        for row in rows:
            waiting = _Waiting(delivery, row, now_s)
            self._waiting.append(waiting)
            if row.impatient:
                self._impatient.append((now_s + self._patience_s, waiting))
                self._unfinished.add(id(row))
                self._someone_impatient.set()
        self._held_rows += len(rows)
        self._rows_wait.set()
        while self._held_rows >= self._backlog_rows:
            await self._wait_for_room()

    def is_current(self, delivery: Delivery) -> bool:
        """Its partition has not been taken away."""
        return self._is_current(delivery)

    def abandon(self, delivery: Delivery, rows: int) -> None:
        """So many rows of a delivery that was begun will not be put: its partition was taken away."""
        self.rows -= rows
        self.handled += rows
        self._let_go(delivery, rows)
        self._has_room.set()
        if self.rows == 0:
            self._empty.set()

    def _let_go(self, delivery: Delivery, rows: int) -> None:
        delivery.left -= rows
        if delivery.left == 0:
            self._held_bytes -= delivery.size_bytes

    async def _wait_for_room(self) -> None:
        self._has_room.clear()
        await self._has_room.wait()

    async def wait_empty(self) -> None:
        """Return when every delivery begun so far is finished or dropped."""
        await self._empty.wait()

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.failed = True
            self._fail(error)
            raise

    async def _someone_waits(self) -> None:
        while not self._waiting:
            self._rows_wait.clear()
            await self._rows_wait.wait()

    async def _dispatch(self) -> None:
        while True:
            await self._someone_waits()
            await self._slots.acquire()
            if not self._waiting:  # given up meanwhile
                self._slots.release()
                continue
            batch = [self._waiting.popleft() for _ in range(min(self._batch_rows, len(self._waiting)))]
            self._dispatched.append((batch, asyncio.ensure_future(self._scored(batch))))
            self._some_dispatched.set()

    async def _scored(self, batch: Sequence[_Waiting[R]]) -> Sequence[S]:
        try:
            return await self._score([each.row for each in batch], self._clock() - batch[0].since_s)
        finally:
            self._slots.release()

    async def _complete_in_order(self) -> None:
        """Write whatever is scored by now in one go: while Kafka acknowledges, batches pile up and go out together."""
        while True:
            while not self._dispatched:
                self._some_dispatched.clear()
                await self._some_dispatched.wait()
            await asyncio.wait({self._dispatched[0][1]})
            rows: list[_Waiting[R]] = []
            results: list[S] = []
            while self._dispatched and self._dispatched[0][1].done() and len(rows) < WRITTEN_ROWS:
                batch, scoring = self._dispatched.popleft()
                rows += batch
                results += scoring.result()
            await self._written(rows, results)

    async def _give_up_when_late(self) -> None:
        """Finish rows that had no turn in time; those that came first have waited longest."""
        if self._turn_s is None:
            return
        while True:
            await self._someone_waits()
            wait_s = self._waiting[0].since_s + self._turn_s - self._clock()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                continue
            late: list[_Waiting[R]] = []
            latest_s = self._clock() - self._turn_s
            while self._waiting and len(late) < WRITTEN_ROWS and self._waiting[0].since_s <= latest_s:
                late.append(self._waiting.popleft())
            await self._written(late, self._give_up([each.row for each in late]))

    async def _written(self, batch: Sequence[_Waiting[R]], results: Sequence[S]) -> None:
        """Write the outputs of rows, in whatever way they came to their results, and let them go."""
        for each in batch:
            self._unfinished.discard(id(each.row))
            if each.row.announcement is not None:
                await each.row.announcement
        async with self._writing:
            current = [index for index, each in enumerate(batch) if self._is_current(each.delivery)]
            await self._finish([batch[i].row for i in current], [results[i] for i in current])
        self.rows -= len(batch)
        self.handled += len(batch)
        for each in batch:
            self._let_go(each.delivery, 1)
            if each.delivery.left == 0 and self._is_current(each.delivery):
                self._complete(each.delivery)
        self._held_rows -= len(batch)
        self._has_room.set()
        if self.rows == 0:
            self._empty.set()

    async def _announce_when_due(self) -> None:
        while True:
            if not self._impatient:
                self._someone_impatient.clear()
                await self._someone_impatient.wait()
            due, each = self._impatient[0]
            # A partition that was let go has another owner: this alert could come after its fuller one.
            if id(each.row) not in self._unfinished or not self._is_current(each.delivery):
                self._impatient.popleft()
                continue
            wait_s = due - self._clock()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                continue
            self._impatient.popleft()
            each.row.announcement = asyncio.create_task(self._guarded(self._announce(each.row)))
