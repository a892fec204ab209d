"""Records that wait for their file, and when a file is full (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.archive.layout import FORMAT, Claim, day_of

#: A record's own objects beside its bytes: the dataclass and its integers, two bytes objects, the tuple of headers.
RECORD_OVERHEAD_BYTES = 250


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as Kafka has it; `at_ms` is Kafka's timestamp in milliseconds since 1970."""

    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, near enough."""
        in_headers = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + in_headers + RECORD_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class Rotation:
    """A file is closed with so many rows, so many bytes of records, or so long after its first was read.

    `memory_bytes` bounds what waits in all partitions together: beyond it the largest is closed early.
    """

    rows: int = 200_000
    file_bytes: int = 64 << 20
    seconds: float = 600.0
    memory_bytes: int = 256 << 20


@dataclass(slots=True)
class Waiting:
    """Records of one partition on their way into one file. `since` is when the first was read, on a monotonic clock."""

    since: float
    gap: tuple[int, int] | None = None
    records: list[Kept] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, record: Kept) -> None:
        """Take the next record."""
        self.records.append(record)
        self.size_bytes += record.size_bytes

    def ends_before(self, record: Kept, rotation: Rotation) -> bool:
        """Whether the file must be closed before it takes this record.

        A record of a later day begins the next file; one of an earlier day does not, or two clocks that differ would
        make a file of every few records around midnight.
        """
        return (
            day_of(record.at_ms) > day_of(self.records[0].at_ms)
            or self.size_bytes + record.size_bytes > rotation.file_bytes
        )

    def is_full(self, rotation: Rotation) -> bool:
        """Whether the file can take no other record."""
        return len(self.records) >= rotation.rows

    def claim(self, topic: str, partition: int) -> Claim:
        """What the file will say of itself; `topic` is the full name."""
        return Claim(
            format=FORMAT,
            topic=topic,
            partition=partition,
            first=self.records[0].offset,
            last=self.records[-1].offset,
            rows=len(self.records),
            last_at_ms=self.records[-1].at_ms,
            gap=self.gap,
        )
