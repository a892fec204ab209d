"""The table drops conversations that are over, writes their tombstones, and leaves alone what it may not touch."""

from __future__ import annotations

from collections.abc import Iterator

from streams.agents.window_table import WindowTable, table_key
from streams.windows import DISORDER_US, Lifetimes, Turn, decode

LIFE = Lifetimes(idle_us=100 * DISORDER_US, ended_us=10 * DISORDER_US)
FAR_AHEAD_US = 1 << 60


class Dictionary:
    """A window store."""

    def __init__(self) -> None:
        self.values: dict[tuple[int, bytes], bytes] = {}

    def get(self, partition: int, key: bytes) -> bytes | None:
        return self.values.get((partition, key))

    def put(self, partition: int, key: bytes, value: bytes) -> None:
        self.values[partition, key] = value

    def drop(self, partition: int, key: bytes) -> None:
        self.values.pop((partition, key), None)

    def keys(self) -> Iterator[tuple[int, bytes]]:
        return iter(list(self.values))

    def __len__(self) -> int:
        return len(self.values)


class Bench:
    """A table with one partition's committed offset at hand."""

    def __init__(self) -> None:
        self.store = Dictionary()
        self.committed: dict[int, int] = {}
        self.table = WindowTable(
            lambda: self.store, changelog="windows", committed=self.committed.get, lifetimes=LIFE
        )

    def say(self, offset: int, hours: float, *, transaction: str = "t", partition: int = 0) -> None:
        us = int(hours * DISORDER_US)
        self.table.admit(partition, transaction, Turn(offset, f"m{offset}", us, "buyer", "x", arrived_us=us))

    def forgotten(
        self, *, now_us: int = FAR_AHEAD_US, owned: tuple[int, ...] = (0,), at_most: int = 100
    ) -> list[bytes]:
        """Two rounds: the first may only find where the keys begin, or wait for a commit."""
        records = [
            *self.table.forget(at_most, owned=frozenset(owned), now_us=now_us),
            *self.table.forget(at_most, owned=frozenset(owned), now_us=now_us),
        ]
        assert all(r.topic == "windows" and r.value is None and r.partition in owned for r in records)
        return [r.key or b"" for r in records]


def test_a_conversation_that_is_over_leaves_the_table_with_a_tombstone() -> None:
    bench = Bench()
    bench.say(0, 0, transaction="old")
    bench.say(1, 150, transaction="new")
    bench.committed[0] = 2
    assert bench.forgotten() == [table_key(0, "old")]
    assert len(bench.table) == 1
    assert bench.forgotten() == []


def test_the_clock_is_that_of_committed_records() -> None:
    """A backlog of weeks goes by in seconds; what is not committed comes again after a crash."""
    bench = Bench()
    bench.say(0, 0, transaction="old")
    bench.say(1, 150, transaction="new")
    bench.committed[0] = 1
    assert bench.forgotten() == []
    bench.committed[0] = 2
    assert bench.forgotten() == [table_key(0, "old")]


def test_the_clock_never_runs_ahead_of_the_worker_s_own() -> None:
    bench = Bench()
    bench.say(0, 0, transaction="old")
    bench.say(1, 150, transaction="stamped in the future")
    bench.committed[0] = 2
    assert bench.forgotten(now_us=3 * DISORDER_US) == []


def test_no_record_no_time() -> None:
    """A partition in which nothing is said keeps what it has."""
    bench = Bench()
    bench.say(0, 0)
    bench.committed[0] = 1
    assert bench.forgotten() == []


def test_another_worker_s_partition_is_left_alone() -> None:
    bench = Bench()
    for partition in (0, 1):
        bench.say(0, 0, transaction="old", partition=partition)
        bench.say(1, 150, transaction="new", partition=partition)
        bench.committed[partition] = 2
    assert bench.forgotten(owned=(1,)) == [table_key(1, "old")]
    assert bench.store.get(0, table_key(0, "old")) is not None


def test_it_goes_round_a_few_at_a_time() -> None:
    bench = Bench()
    for number in range(25):
        bench.say(number, 0, transaction=f"old{number}")
    bench.say(25, 150, transaction="new")
    bench.committed[0] = 26
    found: list[bytes] = []
    for _ in range(3):
        found += bench.forgotten(at_most=10)
    assert sorted(found) == sorted(table_key(0, f"old{number}") for number in range(25))


def test_a_conversation_dropped_and_taken_up_again_begins_anew() -> None:
    bench = Bench()
    bench.say(0, 0)
    bench.say(1, 150, transaction="other")
    bench.committed[0] = 2
    bench.forgotten()
    bench.say(2, 151)
    value = bench.store.get(0, table_key(0, "t"))
    assert value is not None
    assert [turn.offset for turn in decode(value)] == [2]
