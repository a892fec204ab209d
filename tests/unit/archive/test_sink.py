from __future__ import annotations

from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from streams.archive.layout import ForeignFileError
from streams.archive.parquet import claim_of
from streams.archive.report import as_text, report
from streams.archive.rotation import Kept, Rotation
from streams.archive.sink import Sink, TopicMadeAnewError
from streams.archive.target import WRITING, LocalTarget, NameTakenError, StoreTarget, Target, target_at
from streams.inference.durable import BusyError
from tests.unit.archive.outputs import NOON_MS, decision

APPROVED = Path(__file__).with_name("report.approved.txt")
TOPIC = "p.decisions"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def sink_on(target: Target, clock: Clock | None = None, **rotation: int | float) -> Sink:
    return Sink(target, Rotation(**rotation), clock or Clock())


def opened(sink: Sink, ends: int, *, begins: int = 0, topic: str = TOPIC) -> int:
    return sink.opened(topic, topic.removeprefix("p."), 0, begins=begins, ends=ends)


def archive(target: Target, *records: Kept, ends: int = 100) -> Sink:
    sink = sink_on(target)
    opened(sink, ends)
    sink.take(TOPIC, 0, records)
    sink.close_all()
    return sink


def test_files_end_with_their_rows_their_bytes_and_their_day(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    sink = sink_on(target, rows=3)
    opened(sink, 100)
    sink.take(TOPIC, 0, [decision(n) for n in range(4)])
    day_ms = 86_400_000
    # 4 opened a file; the 5th is of the next day, the 6th of the day before
    sink.take(TOPIC, 0, [decision(5, NOON_MS + day_ms), decision(6, NOON_MS)])
    sink.close_all()
    assert sorted(path.removeprefix("decisions/") for path in target.paths()) == [
        "date=2026-11-21/decisions-00000-00000000000000000000.parquet",
        "date=2026-11-21/decisions-00000-00000000000000000003.parquet",
        "date=2026-11-22/decisions-00000-00000000000000000005.parquet",
    ]
    assert sink.tallies[TOPIC].records == 6
    small = sink_on(target, file_bytes=2 * decision(20).size_bytes)
    opened(small, 100)
    small.take(TOPIC, 0, [decision(n) for n in range(20, 25)])
    assert small.tallies[TOPIC].files == 2


def test_a_file_is_written_when_its_first_record_has_waited_long_enough(tmp_path: Path) -> None:
    clock = Clock()
    sink = sink_on(LocalTarget(tmp_path), clock, seconds=10)
    opened(sink, 100)
    sink.take(TOPIC, 0, [decision(0)])
    clock.now = 9.0
    sink.take(TOPIC, 0, [decision(1)])
    sink.close_due()
    assert sink.tallies[TOPIC].files == 0
    clock.now = 10.0
    sink.close_due()
    assert (sink.tallies[TOPIC].files, sink.tallies[TOPIC].records, sink.waiting_bytes) == (1, 2, 0)


def test_what_waits_in_all_partitions_is_bounded(tmp_path: Path) -> None:
    one = decision(0).size_bytes
    sink = sink_on(LocalTarget(tmp_path), memory_bytes=10 * one)
    for partition in range(5):
        sink.opened(TOPIC, "decisions", partition, begins=0, ends=100)
    for number in range(50):
        sink.take(TOPIC, number % 5, [decision(number)])
        assert sink.waiting_bytes <= 10 * one + 50
    assert sink.tallies[TOPIC].files > 0


def test_it_goes_on_behind_the_last_file(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    archive(target, decision(0), decision(1))
    sink = sink_on(target)
    assert opened(sink, 5) == 1  # the last one is read again, to see that it is the same
    sink.take(TOPIC, 0, [decision(1), decision(2)])
    sink.close_all()
    assert sink.tallies[TOPIC].records == 1


def test_a_topic_that_was_made_anew_is_refused(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    archive(target, decision(0), decision(1))
    with pytest.raises(TopicMadeAnewError, match="archived up to offset 1, but the topic ends at 1"):
        opened(sink_on(target), 1)
    sink = sink_on(target)
    opened(sink, 50)
    with pytest.raises(TopicMadeAnewError, match="has another record at offset 1"):
        sink.take(TOPIC, 0, [decision(1, NOON_MS + 1)])


def test_a_topic_that_is_made_anew_under_its_eyes_is_refused_and_not_skipped(tmp_path: Path) -> None:
    sink = sink_on(LocalTarget(tmp_path))
    opened(sink, 100)
    sink.take(TOPIC, 0, [decision(0), decision(1)])
    with pytest.raises(TopicMadeAnewError, match="has another record at offset 0"):
        sink.take(TOPIC, 0, [decision(0)])


def test_a_topic_that_was_away_goes_on_where_it_was(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    sink = sink_on(target)
    opened(sink, 100)
    sink.take(TOPIC, 0, [decision(0), decision(1)])
    assert opened(sink, 100) == 1
    sink.take(TOPIC, 0, [decision(1), decision(2)])
    sink.close_all()
    assert (len(target.paths()), sink.tallies[TOPIC].records) == (2, 3)


def test_the_archive_of_another_deployment_is_refused(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    archive(target, decision(0))
    with pytest.raises(ForeignFileError, match=r"holds p\.decisions partition 0, not q\.decisions"):
        sink_on(target).opened("q.decisions", "decisions", 0, begins=0, ends=9)


def test_a_gap_is_told_counted_and_written_into_the_next_file(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    archive(target, decision(0))
    sink = sink_on(target)
    gaps: list[tuple[str, int, int, int]] = []
    sink.on_gap = lambda *gap: gaps.append(gap)
    assert opened(sink, 100, begins=10) == 10
    sink.take(TOPIC, 0, [decision(10)])
    sink.deleted(TOPIC, 0, 20)
    sink.take(TOPIC, 0, [decision(20)])
    sink.close_all()
    assert gaps == [(TOPIC, 0, 1, 10), (TOPIC, 0, 11, 20)]
    assert sink.tallies[TOPIC].lost == 18
    claims = []
    for path in sorted(target.paths()):
        with target.open(path) as file:
            claims.append(claim_of(file, path))
    assert [(claim.first, claim.gap) for claim in claims] == [(0, None), (10, (1, 10)), (20, (11, 20))]


def test_a_second_archive_into_a_folder_is_refused(tmp_path: Path) -> None:
    with LocalTarget(tmp_path).alone(), pytest.raises(BusyError), LocalTarget(tmp_path).alone():
        pass


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_of_two_archives_at_once_one_stops(tmp_path: Path, kind: str) -> None:
    target: Target = LocalTarget(tmp_path)
    if kind == "store":
        target = StoreTarget(MemoryFileSystem(), str(tmp_path))
    first, second = sink_on(target), sink_on(target)
    for sink in (first, second):
        opened(sink, 100)
    first.take(TOPIC, 0, [decision(0), decision(1)])
    second.take(TOPIC, 0, [decision(0)])
    first.close_all()
    with pytest.raises(NameTakenError, match="does another archive write here"):
        second.close_all()
    assert len(target.paths()) == 1


def test_what_a_crash_left_half_written_is_cleared_away_and_never_read(tmp_path: Path) -> None:
    (tmp_path / WRITING).mkdir()
    left = tmp_path / WRITING / "decisions-00000-00000000000000000000.parquet.ab"
    left.write_bytes(b"PAR")
    target = LocalTarget(tmp_path)
    assert target.paths() == []
    with target.alone():
        assert not left.exists()


def test_a_place_is_a_folder_or_an_address(tmp_path: Path) -> None:
    for where in (str(tmp_path), f"file://{tmp_path}"):
        target = target_at(where)
        assert isinstance(target, LocalTarget)
        archive(target, decision(0)) if where == str(tmp_path) else None
        assert len(target.paths()) == 1
    assert isinstance(target_at("memory://somewhere"), StoreTarget)
    with pytest.raises(ValueError, match="nosuch"):
        target_at("nosuch://place")


def test_the_summary(tmp_path: Path) -> None:
    target = LocalTarget(tmp_path)
    archive(target, decision(0))
    sink = sink_on(target)
    opened(sink, 100, begins=1000)
    sink.take(TOPIC, 0, [decision(1000), Kept(1001, NOON_MS, None, b"{")])
    sink.close_all()
    sink.tallies[TOPIC].file_bytes = 3 << 20
    text = as_text(sink.tallies, "s3://moderation/archive") + "\n"
    assert text == APPROVED.read_text("utf-8")
    assert report(sink.tallies)["all"] == {
        "records": 2,
        "files": 1,
        "file_bytes": 3 << 20,
        "unreadable": 1,
        "lost": 999,
    }
