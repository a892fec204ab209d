"""A worker that was frozen for longer than its session wrote old states of windows after its successor's new ones.

Whoever took the partition over next recovered the last record of each conversation: 16 of 803,098 windows of a fault
campaign lacked the messages that the successor had taken, all of them after a frozen worker woke.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.agents.window_table import NEWEST_HEADER, WindowTable, table_key
from streams.kafka.outbox import Outgoing
from streams.windows import FOR_EVER, Turn
from tests.unit.agents.test_window_table import Dictionary


@dataclass
class Record:
    """As it stands in the changelog."""

    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Owner:
    """A worker's table of one partition, and what it would write."""

    def __init__(self) -> None:
        self.store = Dictionary()
        self.table = WindowTable(
            lambda: self.store, changelog="changelog", committed=lambda _: 0, lifetimes=FOR_EVER
        )

    def recover(self, changelog: list[Record], at_once: int = 1000) -> Owner:
        for start in range(0, len(changelog), at_once):
            for record in self.table.choose(changelog[start : start + at_once]):
                if record.value is None:
                    self.store.drop(record.partition, record.key)
                else:
                    self.store.put(record.partition, record.key, record.value)
        return self

    def take(self, offset: int, transaction: str = "t") -> tuple[Record, list[int]]:
        """One message: the changelog record, and the offsets of its window."""
        window = self.table.admit(0, transaction, _turn(offset))
        (change,) = self.table.changes([(0, transaction)])
        return _record(change), [turn.offset for turn in window]


def _turn(offset: int) -> Turn:
    return Turn(offset, f"m{offset}", offset, "buyer", "x", arrived_us=offset)


def _record(change: Outgoing) -> Record:
    return Record(change.partition or 0, change.key or b"", change.value, change.headers)


@given(
    before=st.integers(0, 8),
    asleep=st.integers(1, 8),
    ahead=st.integers(0, 8),
    late_after=st.integers(0, 16),
    at_once=st.integers(1, 20),
)
def test_windows_are_whole_whenever_the_woken_worker_s_states_arrive(
    before: int, asleep: int, ahead: int, late_after: int, at_once: int
) -> None:
    """The sleeper's last `asleep` states are on their way when it freezes; its successor takes the same messages again,
    and `ahead` more. The states arrive after `late_after` of the successor's."""
    sleeper = Owner()
    written = [sleeper.take(offset)[0] for offset in range(before)]
    late = [sleeper.take(offset)[0] for offset in range(before, before + asleep)]
    successor = Owner().recover(written)
    taken = [successor.take(offset)[0] for offset in range(before, before + asleep + ahead)]
    changelog = [*written, *taken[:late_after], *late, *taken[late_after:]]
    _, window = Owner().recover(changelog, at_once).take(before + asleep + ahead)
    straight = list(range(before + asleep + ahead + 1))
    assert window == straight[-5:]


def test_a_late_tombstone_drops_no_newer_messages() -> None:
    sleeper = Owner()
    old, _ = sleeper.take(0)
    tombstone = Record(0, table_key(0, "t"), None, ((NEWEST_HEADER, b"0"),))
    new, _ = Owner().take(1)
    assert Owner().recover([old, new, tombstone]).take(2)[1] == [1, 2]
    assert Owner().recover([old, tombstone]).take(2)[1] == [2]


def test_a_tombstone_says_what_it_knew() -> None:
    owner = Owner()
    owner.store.put(0, table_key(0, "broken"), b"no msgpack")
    owner.table.forget(10, owned=frozenset({0}), now_us=0)
    (tombstone,) = owner.table.forget(10, owned=frozenset({0}), now_us=0)
    assert tombstone.headers == ((NEWEST_HEADER, b"-1"),)


@pytest.mark.parametrize(
    "headers",
    [(), ((NEWEST_HEADER, None),), ((NEWEST_HEADER, b""),), ((NEWEST_HEADER, b"9" * 5000),), (("x", b"1"),)],
    ids=["none", "null", "empty", "5000 digits", "another"],
)
@pytest.mark.parametrize("at_once", [1, 10])
def test_a_tombstone_by_hand_drops_whatever_stands_before_it(
    headers: tuple[tuple[str, bytes | None], ...], at_once: int
) -> None:
    old, _ = Owner().take(1 << 62)
    tombstone = Record(0, old.key, None, headers)
    assert Owner().recover([old, tombstone], at_once).take(2)[1] == [2]
    new, _ = Owner().take(1)
    assert Owner().recover([old, tombstone, new], at_once).take(2)[1] == [1, 2]


def test_of_many_states_of_a_conversation_one_is_applied() -> None:
    owner = Owner()
    states = [owner.take(offset)[0] for offset in range(5)]
    others = [owner.take(offset, "u")[0] for offset in range(5, 7)]
    assert Owner().table.choose([*states, *others]) == [states[-1], others[-1]]
