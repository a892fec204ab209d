"""Mutations of what stands around the value: keys, headers, timestamps, compression, sizes."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from tests.faults.fuzz.mutator import EVENTS, TIMES, Mutator
from tests.faults.fuzz.specimens import Codec, Specimen

#: The run's `SEKISHO_MAX_RECORD_BYTES`: a tenth of the default, so that records about it and beyond are cheap, and
#: within what an embedded broker takes (1 MB).
MAX_RECORD_BYTES: Final = 400_000
_CODECS: tuple[Codec, ...] = ("gzip", "snappy", "lz4", "zstd")


def _key(rng: Random, specimen: Specimen) -> Specimen:
    key = rng.choice((
        None, b"", b"somebody-else", b"\xff\xfe\x00", b"\0", (specimen.key or b"") + b" ", (specimen.key or b"").upper(),
        rng.randbytes(40), b"k" * 5_000,
    ))  # fmt: skip
    return replace(specimen, key=key)


def _headers(rng: Random, specimen: Specimen) -> Specimen:
    headers: tuple[tuple[bytes, bytes | None], ...] = rng.choice((
        ((b"", b""),),
        ((b"", None), (b"x", None)),
        ((b"trace", b"\xff\xfe\x00"),),
        tuple((b"h%d" % i, b"v") for i in range(3_000)),
        ((b"sekisho.format", b"1"),),
        ((b"sekisho.format", b"2"),),
        ((b"sekisho.format", b""),),
        ((b"sekisho.format", None),),
        ((b"sekisho.format", b"1"), (b"sekisho.format", b"\xff" * 100)),
        ((b"SEKISHO.FORMAT", b"9"),),
        ((b"sekisho.reason", b"not_json"), (b"sekisho.topic", b"messages"), (b"sekisho.offset", b"7"), (b"sekisho.partition", b"x")),
        ((b"sekisho.truncated", b"-1"), (b"sekisho.at", b"never")),
        (("見出し".encode(), "値".encode()), (b"a\0b", b"c")),
        ((b"long", b"x" * 50_000),),
        ((b"n" * 20_000, b"x"),),
    ))  # fmt: skip
    return replace(specimen, headers=headers)


def _header_names(rng: Random, specimen: Specimen) -> Specimen:
    """Kafka's protocol calls a header's name a string; brokers store what they get."""
    name = rng.choice((b"\xff", b"\xed\xa0\x80", b"caf\xe9", b"\x80\x81sekisho.format", b"\xe3\x81"))
    return replace(specimen, headers=((name, b"x"), (b"fine", b"y")))


def _timestamp(rng: Random, specimen: Specimen) -> Specimen:
    stamp = rng.choice(
        (-1, 0, 1, 253_402_300_799_000, 253_402_300_800_000, 2**62, 2**63 - 1, 946_684_800_000, -(2**40))
    )
    return replace(specimen, timestamp_ms=stamp, alone=True)


def _end_of_time(rng: Random, specimen: Specimen) -> Specimen:
    """The last moments that calendars have, in the event and on the record."""
    field = TIMES[specimen.topic].encode()
    value = (specimen.value or b"")[:-1] + b',"' + field + b'":"9999-12-31T23:59:59.999999Z"}'
    return replace(specimen, value=value, timestamp_ms=rng.choice((253_402_300_799_999, 2**62)), alone=True)


def _tombstone(rng: Random, specimen: Specimen) -> Specimen:
    return replace(specimen, value=rng.choice((None, b"", b" ", b"null")))


def _nothing_at_all(rng: Random, specimen: Specimen) -> Specimen:
    return replace(specimen, key=None, value=None)


def _about_the_limit(rng: Random, specimen: Specimen) -> Specimen:
    """Padded with white space, which JSON allows, to the limit of a record with its key and headers, and beyond."""
    size = MAX_RECORD_BYTES + rng.choice((-1, 0, 1, 300_000))
    return _padded(specimen, size)


def _padded(specimen: Specimen, size: int) -> Specimen:
    others = len(specimen.key or b"") + sum(len(name) + len(value or b"") for name, value in specimen.headers)
    value = specimen.value or b"{}"
    return replace(specimen, value=value + b" " * (size - others - len(value)), alone=True)


def _compressed(codec: Codec) -> Mutator:
    return Mutator(
        f"compressed with {codec}", lambda rng, specimen: replace(specimen, codec=codec), EVENTS, 0.5
    )


MUTATORS = (
    Mutator("untouched", lambda rng, specimen: specimen, share=3),
    Mutator("keys", _key, share=2),
    Mutator("headers", _headers, share=2),
    Mutator("header names that are not UTF-8", _header_names),
    Mutator("record timestamps", _timestamp),
    Mutator("the end of time", _end_of_time, share=0.3),
    Mutator("no value", _tombstone),
    Mutator("neither key nor value", _nothing_at_all),
    Mutator("sizes about the limit", _about_the_limit, share=0.1),
    *(_compressed(codec) for codec in _CODECS),
)
