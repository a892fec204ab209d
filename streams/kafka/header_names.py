"""Header names that are not UTF-8: aiokafka raises on them, for ever, at the same offset; read here with U+FFFD in them.

Kafka's protocol calls a header's name a string, but brokers store the bytes that they get, so one producer that
writes Latin-1 would stop every consumer of the topic (aiokafka/record/default_records.py decodes strictly, and
consumer/fetcher.py lets the UnicodeDecodeError through). Importing this module corrects the reading: a batch that
cannot be read the fast way is read again by aiokafka's own parser in Python, with a decoder that does not raise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

#: A batch begins with its base offset (8 bytes) and the length of what follows (4 bytes).
_LENGTH_AT, _HEAD_BYTES = 8, 12


class _Lenient(bytearray):
    """Bytes whose pieces decode without raising."""

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - an index or a slice
        found = super().__getitem__(at)
        return _Lenient(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """As text, with U+FFFD for what is none."""
        return super().decode(encoding, errors)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Lenient(self._buffer)


class _Batch:
    """A batch as the fetcher uses it: its attributes, its check, its records."""

    def __init__(self, batch: Any, written: bytes) -> None:  # noqa: ANN401
        self._batch = batch
        self._written = written

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401 - the fetcher takes the only record of a control batch so
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._batch)
        except UnicodeDecodeError:
            records = list(_LenientBatch(self._written))
        return iter(records)


class ReadableRecords:
    """`MemoryRecords` of aiokafka, whose batches can all be read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Of all batches."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """A whole batch is left."""
        return bool(self._records.has_next())

    def next_batch(self) -> _Batch | None:
        """The next batch, None after the last."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        first = self._at
        (length,) = struct.unpack_from(">i", self._data, first + _LENGTH_AT)
        self._at = first + _HEAD_BYTES + length
        return _Batch(batch, self._data[first : self._at])


fetcher.MemoryRecords = ReadableRecords
