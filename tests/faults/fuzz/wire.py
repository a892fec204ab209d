"""Record batches written byte by byte and sent as they are: what no client library would send, a stranger's may.

The format is that of KIP-98 (magic 2): https://kafka.apache.org/documentation/#recordbatch.
"""

from __future__ import annotations

import struct
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from tests.faults.fuzz.specimens import Codec, Specimen

CODECS: Final[dict[Codec, tuple[int, Callable[[bytes], bytes]]]] = {
    "none": (0, bytes),
    "gzip": (1, gzip_encode),
    "snappy": (2, snappy_encode),
    "lz4": (3, lz4_encode),
    "zstd": (4, zstd_encode),
}
#: Bytes of records in one batch, before compression.
BATCH_BYTES: Final = 200_000
ACKNOWLEDGE_MS: Final = 60_000


class Unacknowledged(RuntimeError):
    """The broker did not take a batch: the message says which, with Kafka's error code."""


def varint(number: int) -> bytes:
    """A signed number in zig-zag, seven bits a byte."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _sized(content: bytes | None) -> bytes:
    return varint(-1) if content is None else varint(len(content)) + content


def record(specimen: Specimen, offset: int, timestamp_delta: int) -> bytes:
    """One record of a batch."""
    headers = b"".join(_sized(name) + _sized(value) for name, value in specimen.headers)
    body = b"".join((
        b"\0", varint(timestamp_delta), varint(offset), _sized(specimen.key), _sized(specimen.value),
        varint(len(specimen.headers)), headers,
    ))  # fmt: skip
    return varint(len(body)) + body


def batch(specimens: Sequence[Specimen], *, now_ms: int) -> bytes:
    """A record batch of specimens that have the same codec."""
    stamps = [now_ms if s.timestamp_ms is None else s.timestamp_ms for s in specimens]
    first = stamps[0]
    records = b"".join(
        record(s, at, stamp - first) for at, (s, stamp) in enumerate(zip(specimens, stamps, strict=True))
    )
    number, compress = CODECS[specimens[0].codec]
    after_crc = struct.pack(
        ">hiqqqhii", number, len(specimens) - 1, first, max(stamps), -1, -1, -1, len(specimens)
    ) + compress(records)
    before = struct.pack(">iBI", -1, 2, calc_crc32c(after_crc))
    return struct.pack(">qi", 0, len(before) + len(after_crc)) + before + after_crc


def in_batches(specimens: Iterable[Specimen]) -> Iterator[list[Specimen]]:
    """Neighbours with the same topic and codec together, up to `BATCH_BYTES`; order is kept within a topic."""
    waiting: dict[str, list[Specimen]] = {}
    sizes: dict[str, int] = {}
    for specimen in specimens:
        topic = specimen.topic
        size = len(specimen.value or b"") + len(specimen.key or b"")
        size += sum(len(name) + len(value or b"") for name, value in specimen.headers)
        open_batch = waiting.get(topic)
        if open_batch and (
            specimen.alone or open_batch[0].codec != specimen.codec or sizes[topic] + size > BATCH_BYTES
        ):
            yield waiting.pop(topic)
        waiting.setdefault(topic, []).append(specimen)
        sizes[topic] = size if len(waiting[topic]) == 1 else sizes[topic] + size
        if specimen.alone:
            yield waiting.pop(topic)
    yield from waiting.values()


class Wire:
    """Sends batches to partitions and knows where each record stands when it returns."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def send(self, topic: str, partition: int, specimens: Sequence[Specimen]) -> int:
        """The offset of the first record, once the broker has acknowledged the batch. Raises Unacknowledged."""
        content = batch(specimens, now_ms=int(time.time() * 1000))
        leader = self._client.cluster.leader_for_partition(TopicPartition(topic, partition))
        request = ProduceRequest(None, -1, ACKNOWLEDGE_MS, [(topic, [(partition, content)])])
        response = await self._client.send(leader, request)
        for _, answers in response.topics:
            for _, error, offset, *_ in answers:
                if error:
                    raise Unacknowledged(
                        f"{topic}-{partition}: error {error} for a batch of {len(content)} bytes"
                    )
                return int(offset)
        raise Unacknowledged(f"{topic}-{partition}: an empty answer")


@asynccontextmanager
async def wire(broker: str, topics: Iterable[str]) -> AsyncIterator[Wire]:
    """A connection to the brokers that knows the leaders of these topics."""
    client = AIOKafkaClient(bootstrap_servers=broker, request_timeout_ms=ACKNOWLEDGE_MS)
    await client.bootstrap()
    try:
        await client.set_topics(list(topics))
        yield Wire(client)
    finally:
        await client.close()
