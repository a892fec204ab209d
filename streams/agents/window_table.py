"""The Faust table of conversation windows: read and changed here, its changelog written with the event's outputs.

Faust's own table writes cost one send per change (135 µs); here a conversation's state is written once per finished
batch, through the outbox, before the batch's offsets may be committed. Recovery of the table is Faust's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from streams.kafka.outbox import Outgoing
from streams.windows import Turn, admit, decode, encode


class TableStore(Protocol):
    """What is used of a Faust table's store: a mapping of bytes that survives by its changelog."""

    def get(self, key: bytes, default: None = None) -> bytes | None:
        """The value, or None."""
        ...

    def __setitem__(self, key: bytes, value: bytes) -> None: ...

    def __len__(self) -> int: ...


class WindowTable:
    """Windows by partition and transaction.

    The partition is part of the key: turns are ordered by offset, and offsets of different partitions (a producer
    that forgot the key) cannot be compared.
    """

    def __init__(
        self, store: Callable[[], TableStore], *, changelog: str, committed: Callable[[int], int | None]
    ) -> None:
        self._store = store
        self._changelog = changelog
        self._committed = committed

    def admit(self, partition: int, transaction_id: str, turn: Turn) -> tuple[Turn, ...]:
        """Let a message join its conversation; the window that ends in it, oldest first."""
        store = self._store()
        key = table_key(partition, transaction_id)
        value = store.get(key)
        turns = () if value is None else decode(value)
        kept, window = admit(turns, turn, committed=self._committed(partition) or 0)
        if kept is not turns:
            store[key] = encode(kept)
        return window

    def changes(self, conversations: Iterable[tuple[int, str]]) -> list[Outgoing]:
        """The changelog records of these conversations as they stand now, one each."""
        store = self._store()
        records = []
        for partition, transaction_id in dict.fromkeys(conversations):
            key = table_key(partition, transaction_id)
            records.append(Outgoing(self._changelog, key, store.get(key), partition=partition))
        return records

    def __len__(self) -> int:
        return len(self._store())


def table_key(partition: int, transaction_id: str) -> bytes:
    """The table's key of a conversation, e.g. `3/t7`."""
    return f"{partition}/{transaction_id}".encode("utf-8", "surrogatepass")


def faust_store(table: Any) -> TableStore:  # noqa: ANN401 - Faust has no types
    """The store beneath a Faust table: writing to it directly does not send a changelog record."""
    store: TableStore = table.data.data if hasattr(table.data, "data") else table.data
    return store
