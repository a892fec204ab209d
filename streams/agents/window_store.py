"""Where the windows' bytes live: beneath a Faust table, in memory or in RocksDB, each recovered by Faust."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

#: Per partition. Faust's own defaults (three write buffers of 64 MiB, a cache of 2 GiB) are meant for one large
#: database; a worker has one per partition, and its hot conversations are few.
ROCKSDB_OPTIONS: Final = {
    "driver": "rocksdict",
    "write_buffer_size": 8 << 20,
    "block_cache_size": 16 << 20,
    "max_open_files": 64,
}


class WindowStore(Protocol):
    """Bytes by partition and key, which survive by their changelog: nothing here sends a changelog record."""

    def get(self, partition: int, key: bytes) -> bytes | None:
        """The value, or None."""
        ...

    def put(self, partition: int, key: bytes, value: bytes) -> None:
        """Keep the value under the key."""
        ...

    def drop(self, partition: int, key: bytes) -> None:
        """Forget the key, if it is there."""
        ...

    def keys(self) -> Iterator[tuple[int, bytes]]:
        """Every key that is there now, with its partition; the store may change meanwhile."""
        ...

    def __len__(self) -> int: ...


class MemoryWindows:
    """A dictionary in the worker's memory (`faust.stores.memory`)."""

    def __init__(self, table: Any) -> None:  # noqa: ANN401 - Faust has no types
        self._store = table.data
        self._values: dict[bytes, bytes] = table.data.data

    def get(self, partition: int, key: bytes) -> bytes | None:
        """The value, or None."""
        return self._values.get(key)

    def put(self, partition: int, key: bytes, value: bytes) -> None:
        """Keep the value under the key."""
        self._values[key] = value
        # By this Faust clears what belongs to partitions that went to another worker.
        self._store._key_partition[key] = partition

    def drop(self, partition: int, key: bytes) -> None:
        """Forget the key, if it is there."""
        self._values.pop(key, None)
        self._store._key_partition.pop(key, None)

    def keys(self) -> Iterator[tuple[int, bytes]]:
        """The keys of this moment: a list of references, 8 MB for a million conversations."""
        return iter([(partition, key) for key, partition in self._store._key_partition.items()])

    def __len__(self) -> int:
        return len(self._values)


class RocksWindows:
    """One RocksDB per partition in the worker's data directory (`faust.stores.rocksdb` with rocksdict).

    What is on disk may be ahead of the changelog by what was in flight when the worker died, or behind it by what
    another worker did since. Both are mended: windows are taken as of an offset, and recovery applies the changelog
    from where this store last stood.
    """

    def __init__(self, table: Any) -> None:  # noqa: ANN401
        self._store = table.data

    def get(self, partition: int, key: bytes) -> bytes | None:
        """The value, or None."""
        value: bytes | None = self._store._db_for_partition(partition).get(key)
        return value

    def put(self, partition: int, key: bytes, value: bytes) -> None:
        """Keep the value under the key."""
        self._store._db_for_partition(partition).put(key, value)

    def drop(self, partition: int, key: bytes) -> None:
        """Forget the key, if it is there."""
        self._store._db_for_partition(partition).delete(key)

    def keys(self) -> Iterator[tuple[int, bytes]]:
        """The keys on disk, read as the iteration goes."""
        for partition in list(self._store._dbs):
            database = self._store._dbs.get(partition)
            if database is None:  # taken away meanwhile
                continue
            for key in database.keys():  # noqa: SIM118 - not a mapping
                if key != self._store.offset_key:
                    yield partition, key

    def __len__(self) -> int:
        """RocksDB's own estimate: counting would read the whole database."""
        estimates = (
            database.property_int_value("rocksdb.estimate-num-keys")
            for database in list(self._store._dbs.values())
        )
        return sum(int(estimate or 0) for estimate in estimates)


def store_of(table: Any) -> WindowStore:  # noqa: ANN401
    """The store beneath a Faust table."""
    return MemoryWindows(table) if hasattr(table.data, "data") else RocksWindows(table)
