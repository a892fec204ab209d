"""A value in the windows' changelog that the engine had not written stopped the worker at the conversation's next message.

And every worker after it, because the changelog is what they recover from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import pytest

from streams.agents.window_table import WindowTable, table_key
from streams.windows import MAX_KEPT_CHARACTERS, MAX_TEXT, MAX_VALUE_BYTES, Lifetimes, Turn, decode, encode
from tests.unit.agents.test_window_table import Dictionary

OURS = [7, "m", 1_700_000_000_000_000, "seller", "はい", 0, False, False]


def packed(thing: object) -> bytes:
    return msgspec.msgpack.encode(thing)


#: A turn of a later version, with one more element: 5,000 arrays in one another, deeper than the decoder goes.
NESTED = b"\x91\x9a" + packed([*OURS, 0])[1:] + b"\x91" * 5_000 + b"\x00"


def table(value: bytes) -> WindowTable:
    store = Dictionary()
    store.put(0, table_key(0, "t"), value)
    return WindowTable(
        lambda: store,
        changelog="changelog",
        committed=lambda _: 100,
        lifetimes=Lifetimes(idle_us=1 << 60, ended_us=1 << 60),
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"no msgpack",
        packed([OURS])[:-3],
        packed([OURS[:3]]),
        packed([[*OURS[:3], "robot", *OURS[4:]]]),
        packed({"a": 1}),
        b"\x91\x98\x07\xa1\xff\x00\xa6seller\xa1x\x00\xc2\xc2",
        packed([[*OURS[:4], "x" * MAX_VALUE_BYTES, *OURS[5:]]]),
        NESTED,
    ],
    ids=["empty", "noise", "cut", "short turn", "unknown writer", "map", "not UTF-8", "too large", "nested"],
)
def test_the_next_message_begins_anew(value: bytes) -> None:
    windows = table(value)
    turn = Turn(101, "m2", 1_700_000_000_000_001, "buyer", "x")
    assert windows.admit(0, "t", turn) == (turn,)
    (change,) = windows.changes([(0, "t")])
    assert decode(change.value or b"") == (turn,)


def test_what_is_unreadable_is_dropped_when_its_turn_comes() -> None:
    windows = table(b"no msgpack")
    windows.forget(10, owned=frozenset({0}), now_us=0)  # the first call begins the round
    (tombstone,) = windows.forget(10, owned=frozenset({0}), now_us=0)
    assert (tombstone.key, tombstone.value) == (table_key(0, "t"), None)
    assert len(windows) == 0


@dataclass
class Record:
    """A record of the changelog."""

    value: bytes | None
    partition: int = 0
    key: bytes = table_key(0, "t")
    headers: Sequence[tuple[str, bytes | None]] = ()


def test_recovery_puts_up_with_what_is_nested_too_deeply() -> None:
    foreign, ours = Record(NESTED), Record(packed([OURS]))
    windows = table(packed([OURS]))
    assert windows.choose([foreign, ours]) == [ours]
    assert windows.knows_more(foreign)
    assert not table(NESTED).knows_more(ours)


def test_what_is_nested_too_deeply_is_dropped_when_its_turn_comes() -> None:
    windows = table(NESTED)
    windows.forget(10, owned=frozenset({0}), now_us=0)  # the first call begins the round
    assert [record.value for record in windows.forget(10, owned=frozenset({0}), now_us=0)] == [None]


def test_the_largest_of_our_own_is_read() -> None:
    letters = MAX_KEPT_CHARACTERS // MAX_TEXT
    turns = tuple(Turn(at, "𝕏" * 256, 1 << 62, "seller", "𝕏" * MAX_TEXT, 1 << 62) for at in range(letters))
    assert decode(encode(turns)) == turns
