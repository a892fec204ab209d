"""A death at any step loses no record and repeats none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.archive import target as target_module
from streams.archive.parquet import claim_of
from streams.archive.rotation import Kept, Rotation
from streams.archive.sink import Sink
from streams.archive.target import LocalTarget, StoreTarget, Target

MIDNIGHT_MS = 1_795_219_200_000
_places = count()


class Killed(BaseException):
    """What no code catches, as no code sees a SIGKILL."""


@dataclass
class Death:
    """Comes at the step that is counted down to, or never."""

    steps: int

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            self.step()
            done = work(*arguments, **options)
            self.step()
            return done

        return watched

    def step(self) -> None:
        self.steps -= 1
        if self.steps == 0:
            raise Killed


@dataclass
class Log:
    """One partition as Kafka has it: records by offset, with holes, and a begin that moves."""

    records: list[Kept]
    begins: int = 0

    @property
    def ends(self) -> int:
        return self.records[-1].offset + 1 if self.records else 0


@dataclass
class Kafka:
    logs: list[Log]
    told: set[tuple[int, int, int]] = field(default_factory=set)

    def run(self, sink: Sink, batch: int, shuffle: Callable[[], float]) -> None:
        """What `following.archive_topics` does, with logs in memory."""
        at = {
            number: sink.opened("p.decisions", "decisions", number, begins=log.begins, ends=log.ends)
            for number, log in enumerate(self.logs)
        }
        while unread := [number for number, log in enumerate(self.logs) if at[number] < log.ends]:
            for number in unread:
                log = self.logs[number]
                there = [r for r in log.records if r.offset >= max(at[number], log.begins)][:batch]
                if not there:
                    at[number] = log.ends
                    continue
                if there[0].offset > sink.next_offset("p.decisions", number):
                    sink.deleted("p.decisions", number, min(log.begins, there[0].offset))
                sink.take("p.decisions", number, there)
                at[number] = there[-1].offset + 1
            sink.close_due()
        sink.close_all()


@st.composite
def logs(draw: st.DrawFn) -> list[Log]:
    def one() -> Log:
        offset, records = draw(st.integers(0, 3)), []
        for _ in range(draw(st.integers(0, 12))):
            offset += draw(st.sampled_from((1, 1, 1, 3)))
            at_ms = MIDNIGHT_MS + draw(st.integers(-3, 3))
            records.append(Kept(offset, at_ms, None, draw(st.binary(max_size=3)) or b"x"))
        return Log(records)

    return [one() for _ in range(draw(st.integers(1, 3)))]


@contextmanager
def local(death: Death, place: Path) -> Iterator[Target]:
    with ExitStack() as stack:
        for owner, name in ((os, "link"), (os, "fsync"), (target_module, "sync")):
            stack.enter_context(mock.patch.object(owner, name, death.around(getattr(owner, name))))
        target = LocalTarget(place)
        stack.enter_context(target.alone())
        yield target


@contextmanager
def store(death: Death, place: Path) -> Iterator[Target]:
    files = MemoryFileSystem()
    with mock.patch.object(files, "pipe_file", death.around(files.pipe_file)):
        yield StoreTarget(files, str(place))


@contextmanager
def fresh_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp()) / str(next(_places))
    try:
        yield folder
    finally:
        shutil.rmtree(folder.parent)


def archived(target: Target) -> tuple[Counter[tuple[int, int, bytes]], set[tuple[int, int, int]]]:
    """All rows, and the gaps that the files tell of."""
    rows: Counter[tuple[int, int, bytes]] = Counter()
    gaps = set()
    for path in target.paths():
        with target.open(path) as file:
            claim = claim_of(file, path)
        with target.open(path) as file:
            found = pq.read_table(file).to_pylist()
        offsets = [row["offset"] for row in found]
        assert offsets == sorted(offsets)
        assert (offsets[0], offsets[-1], len(offsets)) == (claim.first, claim.last, claim.rows)
        rows.update((row["partition"], row["offset"], row["value"]) for row in found)
        if claim.gap:
            gaps.add((claim.partition, *claim.gap))
    return rows, gaps


def sink_on(target: Target, rows: int, clock: Callable[[], float]) -> Sink:
    rotation = Rotation(rows=rows, file_bytes=600, seconds=3, memory_bytes=900)
    return Sink(target, rotation, clock)


@settings(max_examples=30)
@given(
    st.sampled_from((local, store)),
    logs(),
    st.lists(st.integers(1, 25), max_size=6),
    st.integers(1, 5),
    st.integers(1, 4),
    st.lists(st.integers(0, 2), min_size=1, max_size=5),
)
def test_every_record_once_however_often_it_is_killed(
    kind: Any, kept: list[Log], deaths: list[int], rows: int, batch: int, ticks: list[int]
) -> None:
    seconds = count()
    kafka = Kafka(kept)

    def clock() -> float:
        return float(next(seconds) * ticks[next(seconds) % len(ticks)])

    with fresh_folder() as place:
        for steps in (*deaths, 10**9):
            with kind(Death(steps), place) as target:
                try:
                    kafka.run(sink_on(target, rows, clock), batch, clock)
                except Killed:
                    continue
        with kind(Death(10**9), place) as target:
            found, gaps = archived(target)
    expected = Counter((n, r.offset, r.value) for n, log in enumerate(kept) for r in log.records)
    assert found == expected
    assert not gaps


@settings(max_examples=30)
@given(
    st.sampled_from((local, store)),
    logs(),
    st.lists(st.tuples(st.integers(1, 25), st.integers(0, 6)), min_size=1, max_size=5),
    st.integers(1, 5),
)
def test_what_kafka_deleted_first_is_told_and_the_rest_is_there_once(
    kind: Any, kept: list[Log], runs: list[tuple[int, int]], rows: int
) -> None:
    told: set[tuple[int, int, int]] = set()
    kafka = Kafka(kept)
    with fresh_folder() as place:
        for steps, deleted in (*runs, (10**9, 0)):
            for log in kept:
                log.begins = min(log.begins + deleted, log.ends)
            with kind(Death(steps), place) as target:
                sink = sink_on(target, rows, lambda: 0.0)
                sink.on_gap = lambda _, *gap: told.add(gap)
                try:
                    kafka.run(sink, 2, lambda: 0.0)
                except Killed:
                    continue
        with kind(Death(10**9), place) as target:
            found, gaps = archived(target)
    assert set(found.values()) <= {1}
    began = {n: min((o for p, o, _ in found if p == n), default=None) for n in range(len(kept))}
    for number, log in enumerate(kept):
        for record in log.records:
            there = (number, record.offset, record.value) in found
            missed = any(p == number and first <= record.offset < end for p, first, end in told)
            # before the archive's first file nobody had promised anything
            before = began[number] is None or record.offset < began[number]
            assert there or missed or before
    assert all(any(p == q and a >= c and b <= d for q, c, d in told) or (p, a, b) in told for p, a, b in gaps)
