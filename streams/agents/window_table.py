"""The table of conversation windows: read and changed here, its changelog written with the event's outputs.

Faust's own table writes cost one send per change (135 µs); here a conversation's state is written once per finished
batch, through the outbox, before the batch's offsets may be committed. Recovery of the table is Faust's.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from streams import metrics
from streams.agents.window_store import WindowStore
from streams.kafka.outbox import Outgoing
from streams.windows import Lifetimes, Turn, admit, decode, encode, is_over

logger = logging.getLogger(__name__)

#: Header of a tombstone: the offset of the conversation's newest message.
NEWEST_HEADER: Final = "sekisho.newest"
#: Before every offset: of a state that knows no message.
NOTHING: Final = -1
#: What Kafka takes for an offset, and `NOTHING`.
_OFFSET: Final = re.compile(rb"-1|[0-9]{1,19}")


class Change(Protocol):
    """A record of the changelog."""

    partition: int
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class WindowTable:
    """Windows by partition and transaction.

    The partition is part of the key: turns are ordered by offset, and offsets of different partitions (a producer
    that forgot the key) cannot be compared.
    """

    def __init__(
        self,
        store: Callable[[], WindowStore],
        *,
        changelog: str,
        committed: Callable[[int], int | None],
        lifetimes: Lifetimes,
    ) -> None:
        self._store = store
        self._changelog = changelog
        self._committed = committed
        self._lifetimes = lifetimes
        #: By partition: offset and timestamp of the newest record, the same of one that waits to be committed, and
        #: the newest committed timestamp noted: the clock that conversations end by.
        self._newest: dict[int, tuple[int, int]] = {}
        self._waiting: dict[int, tuple[int, int]] = {}
        self._clock_us: dict[int, int] = {}
        self._round: Iterator[tuple[int, bytes]] = iter(())

    def admit(self, partition: int, transaction_id: str, turn: Turn) -> tuple[Turn, ...]:
        """Let a message join its conversation; the window that ends in it, oldest first."""
        store = self._store()
        key = table_key(partition, transaction_id)
        value = store.get(partition, key)
        turns = _turns(value)
        kept, window = admit(
            turns, turn, committed=self._committed(partition) or 0, lifetimes=self._lifetimes
        )
        if kept is not turns:
            store.put(partition, key, encode(kept))
        self._newest[partition] = (turn.offset, turn.arrived_us)
        return window

    def changes(self, conversations: Iterable[tuple[int, str]]) -> list[Outgoing]:
        """The changelog records of these conversations as they stand now, one each."""
        return self.stated((partition, table_key(partition, name)) for partition, name in conversations)

    def stated(self, places: Iterable[tuple[int, bytes]]) -> list[Outgoing]:
        """The changelog records of these places (partition and key of the table), one each."""
        store = self._store()
        return [
            Outgoing(self._changelog, key, store.get(partition, key), partition=partition)
            for partition, key in dict.fromkeys(places)
        ]

    def knows_more(self, change: Change) -> bool:
        """The table has messages of a conversation that whoever wrote this changelog record did not know."""
        kept = self._store().get(change.partition, change.key)
        if kept is None or kept == change.value:
            return False
        reached = _reached(change)
        return reached is not None and reached < newest_offset(_turns(kept))

    def forget(self, conversations: int, *, owned: frozenset[int], now_us: int) -> list[Outgoing]:
        """Look at the next so many conversations and drop those that are over: their tombstones for the changelog.

        Going on where the last call ended, round and round. A partition's clock is that of its committed records,
        never later than `now_us`: a worker that works off a backlog of weeks must not take it for silence. What does
        not belong to the `owned` partitions is left alone: another worker writes its changelog.
        """
        store = self._store()
        for partition in owned:
            self._wind_the_clock(partition)
        tombstones = []
        looked_at = list(itertools.islice(self._round, conversations))
        if len(looked_at) < conversations:
            self._round = iter(store.keys())
        for partition, key in looked_at:
            committed = self._committed(partition)
            value = store.get(partition, key) if partition in owned else None
            if value is None or committed is None:
                continue
            clock_us = min(now_us, self._clock_us.get(partition, 0))
            turns = _turns(value)
            if not turns or is_over(turns, now_us=clock_us, committed=committed, lifetimes=self._lifetimes):
                store.drop(partition, key)
                newest = str(newest_offset(turns)).encode()
                tombstones.append(
                    Outgoing(
                        self._changelog, key, None, headers=((NEWEST_HEADER, newest),), partition=partition
                    )
                )
        return tombstones

    def choose(self, changes: Sequence[Change]) -> list[Change]:
        """Of changelog records, in their order, those that recovery must apply: the last word on each conversation.

        That is not always the last record. A worker that was frozen for longer than its session writes, when it wakes,
        the state it had in flight, after the new owner has written what came since. But owners take messages in the
        order of their offsets, so of two states the one with the newer message knows all that the other knows.
        """
        store = self._store()
        chosen: dict[tuple[int, bytes], tuple[int, Change]] = {}
        for change in changes:
            place = change.partition, change.key
            known = chosen.get(place)
            newest = known[0] if known is not None else newest_offset(_turns(store.get(*place)))
            reached = _reached(change)
            if reached is None:
                chosen[place] = NOTHING, change
            elif reached >= newest:
                chosen[place] = reached, change
        return [change for _, change in chosen.values()]

    def _wind_the_clock(self, partition: int) -> None:
        waiting = self._waiting.get(partition)
        if waiting is not None and waiting[0] < (self._committed(partition) or 0):
            self._clock_us[partition] = waiting[1]
            waiting = None
        if waiting is None and partition in self._newest:
            self._waiting[partition] = self._newest[partition]

    def __len__(self) -> int:
        return len(self._store())


def _turns(value: bytes | None) -> tuple[Turn, ...]:
    """The turns of a table's value; none of one that this engine did not write.

    Whoever may write to the changelog could otherwise stop every worker at the conversation's next message, and each
    one that is started after it. A conversation without its past is judged by what comes.
    """
    if value is None:
        return ()
    try:
        return decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        metrics.WINDOWS_UNREADABLE.inc()
        logger.warning("a window of %d bytes cannot be read and is dropped: %s", len(value), error)
        return ()


def newest_offset(turns: Sequence[Turn]) -> int:
    """The offset of the newest message that a state knows. Turns stand in the order of their offsets."""
    return turns[-1].offset if turns else NOTHING


def _reached(change: Change) -> int | None:
    """The newest message that was known to whoever wrote a changelog record.

    None of a tombstone that does not say it, an operator's: whatever stands before it is to be forgotten.
    """
    if change.value is not None:
        return newest_offset(_turns(change.value))
    for name, content in change.headers:
        if name == NEWEST_HEADER and content is not None and _OFFSET.fullmatch(content):
            return int(content)
    return None


def table_key(partition: int, transaction_id: str) -> bytes:
    """The table's key of a conversation, e.g. `3/t7`."""
    return f"{partition}/{transaction_id}".encode("utf-8", "surrogatepass")
