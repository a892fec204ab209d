"""One record with a header named in Latin-1 stopped every consumer of its partition, the worker among them, for ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.record.memory_records import MemoryRecords

from streams.embedded.broker import EmbeddedBroker
from streams.kafka.header_names import ReadableRecords
from streams.settings import Settings
from tests.faults.fuzz.specimens import Codec, Specimen
from tests.faults.fuzz.wire import batch, wire
from tests.integration.kafka_records import everything_in
from tests.regression.faust.harness import make_topic

FINE = Specimen("messages", b"k", b"before", headers=((b"a", b"1"), ("見出し".encode(), None)))
ODD = Specimen("messages", None, b"odd", headers=((b"caf\xe9", b"\xff"), (b"b", None)), timestamp_ms=5)
BEHIND = Specimen("messages", b"k", None)


def read(data: bytes) -> list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]]:
    records, found = ReadableRecords(data), []
    while records.has_next():
        one = records.next_batch()
        assert one is not None
        assert one.validate_crc()
        found += [(record.key, record.value, list(record.headers)) for record in one]
    assert records.next_batch() is None
    return found


EXPECTED = [
    (b"k", b"before", [("a", b"1"), ("見出し", None)]),
    (None, b"odd", [("caf\ufffd", b"\xff"), ("b", None)]),
    (b"k", None, []),
]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_it_is_read_with_its_neighbours(codec: Codec) -> None:
    specimens = [replace(specimen, codec=codec) for specimen in (FINE, ODD, BEHIND)]
    together = batch(specimens, now_ms=10)
    apart = b"".join(batch([specimen], now_ms=10) for specimen in specimens)
    assert read(together) == read(apart) == EXPECTED


def test_aiokafka_alone_still_raises() -> None:
    """When this fails, aiokafka has mended it and `streams.kafka.header_names` can go."""
    one = MemoryRecords(batch([ODD], now_ms=10)).next_batch()
    with pytest.raises(UnicodeDecodeError):
        list(one)


@pytest.mark.embedded
async def test_a_consumer_of_the_engine_reads_it(tmp_path: Path) -> None:
    with EmbeddedBroker("noida", None, tmp_path) as broker:
        await make_topic(broker.bootstrap, "odd", 1)
        async with wire(broker.bootstrap, ["odd"]) as sender:
            assert await sender.send("odd", 0, [FINE, ODD, BEHIND]) == 0
        found = await everything_in(Settings(broker=broker.bootstrap), "odd")
    assert [(r.key, r.value or None, list(r.headers)) for r in found] == EXPECTED
