"""The windows' changelog with records in it that the engine did not write, and messages of the conversations concerned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import msgspec
from aiokafka import ConsumerRecord

from tests.faults.fuzz.specimens import CANARY, Specimen, encoded

_TURN = [7, "m0", 1_763_700_000_000_000, "seller", "はい", 1_763_700_000_000_000, False, False]


def _packed(thing: object) -> bytes:
    return msgspec.msgpack.encode(thing)


def _poisons(rng: Random, ours: bytes) -> Iterator[tuple[str, bytes]]:
    at = rng.randrange(max(1, len(ours)))
    yield "cut short", ours[:at]
    yield (
        "bits flipped",
        bytes((*ours[:at], ours[at] ^ 1 << rng.randrange(8), *ours[at + 1 :])) if ours else b"\xff",
    )
    yield "noise", rng.randbytes(200)
    yield "JSON", json.dumps([_TURN]).encode()
    yield "no turn", _packed([])
    yield "not a list", _packed({"a": 1})
    yield "a turn too short", _packed([_TURN[:3]])
    yield "a turn of another type", _packed([[*_TURN[:2], "now", *_TURN[3:]]])
    yield "a writer unknown", _packed([[*_TURN[:3], "robot", *_TURN[4:]]])
    yield "offsets beyond all", _packed([[2**63 - 1, *_TURN[1:]], [-(2**63), *_TURN[1:]]])
    yield "times beyond all", _packed([[*_TURN[:2], 2**63 - 1, *_TURN[3:5], -(2**63), False, False]])
    yield "a turn of most of a megabyte", _packed([[*_TURN[:4], CANARY * 60_000, *_TURN[5:]]])
    yield "turns without end", _packed([[at, f"m{at}", *_TURN[2:]] for at in range(5_000)])
    yield "half a surrogate", b"\x91\x98\x07\xa3\xed\xa0\x80\x00\xa6seller\xa1x\x00\xc2\xc2"


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A record for the changelog of a partition, and the message that makes the engine look at it."""

    kind: str
    partition: int
    record: Specimen
    message: Specimen


def poisoned(seed: int, changelog: list[ConsumerRecord]) -> list[Poisoned]:
    """Each kind of poison for one conversation whose window stands in the changelog (records as read, all partitions)."""
    rng = Random(f"{seed}/changelog")
    windows = {(r.partition, r.key): r.value for r in changelog if r.value}
    conversations = rng.sample(sorted(windows), min(len(windows), 20))
    found = []
    for number, (partition, key) in enumerate(conversations):
        kinds = list(_poisons(rng, windows[partition, key]))
        kind, value = kinds[number % len(kinds)]
        transaction = key.decode().partition("/")[2]
        message = {
            "message_id": f"after-{number}",
            "transaction_id": transaction,
            "writer": "buyer",
            "text": "はい",
        }
        found.append(
            Poisoned(
                f"changelog: {kind}",
                partition,
                Specimen("messages", key, value, alone=True),
                Specimen("messages", transaction.encode(), encoded(message)),
            )
        )
    return found


def strangers() -> list[Specimen]:
    """Records whose keys no window has."""
    return [
        Specimen("messages", key, value, alone=True)
        for key, value in (
            (None, b"x"),
            (b"", b"x"),
            (b"\xff/\xfe", _packed([_TURN])),
            (b"no-slash", b"\x90"),
            (None, None),
        )
    ]
