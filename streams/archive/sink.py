"""The archive at work: records of each partition in order, into files that say which offsets they hold.

The files are the only memory. What waits for its file is lost with the process and read again by the next one, which
goes on behind the last file of each partition; so each record that Kafka still has stands in exactly one file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from streams.archive.layout import Claim, ForeignFileError, dataset_of, newest_files, path_of
from streams.archive.parquet import claim_of, file_of
from streams.archive.rotation import Kept, Rotation, Waiting
from streams.archive.target import Target


class TopicMadeAnewError(RuntimeError):
    """The topic does not hold what the archive took from it: its offsets begin again, so they say nothing."""


@dataclass(slots=True)
class Tally:
    """What this run did with one topic. `lost` counts offsets that Kafka had deleted before they were archived."""

    records: int = 0
    files: int = 0
    file_bytes: int = 0
    unreadable: int = 0
    lost: int = 0


@dataclass(slots=True)
class Log:
    """One partition of a topic: how far it is archived or waiting to be. `archived` is the claim of its last file."""

    topic: str
    name: str
    partition: int
    next: int
    archived: Claim | None = None
    gap: tuple[int, int] | None = None
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file that now is part of the archive."""

    path: str
    rows: int
    size_bytes: int


@dataclass(slots=True)
class Sink:
    """Takes records and writes files to one target. `clock` is monotonic, in seconds.

    `on_gap` is told the topic (full name), the partition and the offsets [from, to) that are gone for good.
    """

    target: Target
    rotation: Rotation
    clock: Callable[[], float]
    on_file: Callable[[Written], None] = lambda _: None
    on_gap: Callable[[str, int, int, int], None] = lambda *_: None
    tallies: dict[str, Tally] = field(default_factory=dict)
    _logs: dict[tuple[str, int], Log] = field(default_factory=dict)
    _newest: dict[tuple[str, int], str] | None = None

    @property
    def waiting_bytes(self) -> int:
        """What is held in memory for files that are not written yet."""
        return sum(log.waiting.size_bytes for log in self._logs.values() if log.waiting)

    def opened(self, topic: str, name: str, partition: int, *, begins: int, ends: int) -> int:
        """The offset to read from, for a partition whose log has the offsets [begins, ends).

        `topic` is the full name, `name` the one without prefix. Where the archive goes on, that is the last record
        that it has: seen again, it shows that the topic is still the same. Raises `TopicMadeAnewError` and
        `ForeignFileError`.
        """
        before = self._logs.get((topic, partition))
        if before is not None and before.waiting is not None:  # the topic was away for a while
            self._close(before)
        archived = self._last_claim(topic, name, partition)
        log = Log(topic, name, partition, begins if archived is None else archived.last + 1, archived)
        self._logs[topic, partition] = log
        self.tallies.setdefault(topic, Tally())
        if log.next > ends:
            raise _made_anew(log, f"ends at {ends}")
        self._skip_to(log, begins)
        return max(begins, log.next - 1 if archived else log.next)

    def next_offset(self, topic: str, partition: int) -> int:
        """The offset of the record that is to come next."""
        return self._logs[topic, partition].next

    def deleted(self, topic: str, partition: int, begins: int) -> None:
        """Kafka's log now begins here: what was to come before it is gone."""
        self._skip_to(self._logs[topic, partition], begins)

    def take(self, topic: str, partition: int, records: Sequence[Kept]) -> None:
        """The next records of a partition, in order. Raises `TopicMadeAnewError`, and what the target raises."""
        log = self._logs[topic, partition]
        for record in records:
            if record.offset < log.next:
                _check_same(log, record)
                continue
            if log.waiting is not None and log.waiting.ends_before(record, self.rotation):
                self._close(log)
            if log.waiting is None:
                log.waiting, log.gap = Waiting(self.clock(), log.gap), None
            log.waiting.add(record)
            log.next = record.offset + 1
            if log.waiting.is_full(self.rotation):
                self._close(log)
        while self.waiting_bytes > self.rotation.memory_bytes:
            self._close(max(self._open_logs(), key=_held_bytes))

    def close_due(self) -> None:
        """Write the files whose first record has waited long enough."""
        now = self.clock()
        for log in self._open_logs():
            if log.waiting is not None and now - log.waiting.since >= self.rotation.seconds:
                self._close(log)

    def close_all(self) -> None:
        """Write whatever waits."""
        for log in self._open_logs():
            self._close(log)

    def _open_logs(self) -> list[Log]:
        return [log for log in self._logs.values() if log.waiting is not None]

    def _last_claim(self, topic: str, name: str, partition: int) -> Claim | None:
        if self._newest is None:
            self._newest = newest_files(self.target.paths())
        path = self._newest.get((name, partition))
        if path is None:
            return None
        with self.target.open(path) as file:
            claim = claim_of(file, path)
        if (claim.topic, claim.partition) != (topic, partition):
            raise ForeignFileError(
                f"{path}: holds {claim.topic} partition {claim.partition}, not {topic} partition {partition}; "
                "another deployment's archive? Give each its own place"
            )
        return claim

    def _skip_to(self, log: Log, begins: int) -> None:
        if begins <= log.next:
            return
        if log.waiting is not None:
            self._close(log)
        gap = (log.gap[0] if log.gap else log.next, begins)
        self.tallies[log.topic].lost += begins - log.next
        self.on_gap(log.topic, log.partition, log.next, begins)
        log.gap, log.next = gap, begins

    def _close(self, log: Log) -> None:
        waiting = log.waiting
        assert waiting is not None
        claim = waiting.claim(log.topic, log.partition)
        content, unreadable = file_of(dataset_of(log.name), waiting.records, claim)
        path = path_of(log.name, log.partition, claim.first, waiting.records[0].at_ms)
        self.target.create(path, content)
        log.waiting, self._newest = None, None
        tally = self.tallies[log.topic]
        tally.records += claim.rows
        tally.files += 1
        tally.file_bytes += len(content)
        tally.unreadable += unreadable
        self.on_file(Written(path, claim.rows, len(content)))


def total(tallies: Iterable[Tally]) -> Tally:
    """All topics together."""
    whole = Tally()
    for one in tallies:
        whole.records += one.records
        whole.files += one.files
        whole.file_bytes += one.file_bytes
        whole.unreadable += one.unreadable
        whole.lost += one.lost
    return whole


def _held_bytes(log: Log) -> int:
    return log.waiting.size_bytes if log.waiting else 0


def _check_same(log: Log, record: Kept) -> None:
    """What was archived already may come again only as the last record of the last file, asked for to see the same."""
    known = log.archived
    if known is None or (record.offset, record.at_ms) != (known.last, known.last_at_ms):
        raise _made_anew(log, f"has another record at offset {record.offset}")


def _made_anew(log: Log, how: str) -> TopicMadeAnewError:
    return TopicMadeAnewError(
        f"{log.topic} partition {log.partition} is archived up to offset {log.next - 1}, but the topic {how}: it was "
        "deleted and made anew, and its offsets begin again. Archive it to another place"
    )
