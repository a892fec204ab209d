"""The sender's own book: what Kafka has acknowledged, written down durably and only then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Acknowledged(NamedTuple):
    """Record `number` stands at this place."""

    number: int
    topic: str
    partition: int
    offset: int


class Ledger:
    """One line a record; `sync` makes what is written survive a crash of the machine too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="ascii")
        self.count = 0

    def note(self, entry: Acknowledged) -> None:
        """Write down an acknowledgement."""
        self._file.write(f"{entry.number} {entry.topic} {entry.partition} {entry.offset}\n")
        self.count += 1

    def sync(self) -> None:
        """Flush to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and close."""
        self.sync()
        self._file.close()


def read(path: Path) -> Iterator[Acknowledged]:
    """Every entry, in the order of the acknowledgements."""
    with path.open(encoding="ascii") as file:
        for line in file:
            number, topic, partition, offset = line.split()
            yield Acknowledged(int(number), topic, int(partition), int(offset))
