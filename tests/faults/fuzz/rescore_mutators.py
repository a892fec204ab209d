"""Records of `rescore`, which the engine writes for itself, as somebody else might write them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, Final

from tests.faults.fuzz.mutator import Change, Mutator, of_body
from tests.faults.fuzz.specimens import Specimen, encoded

#: Offsets that claimed sources begin at: none that was really sent stands there.
FIRST_CLAIM: Final = 10**12
DAY_US: Final = 86_400_000_000
_NUMBERS = (-1, 0, 1, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 10**30, 1.5, "7", None, True)


def put_aside(specimens: Iterator[Specimen], *, prefix: str, now_us: int) -> Iterator[Specimen]:
    """Specimens as the engine puts them aside when its models are away, each with a claimed place of its own."""
    for number, specimen in enumerate(specimens):
        if specimen.topic not in ("messages", "listings"):
            continue
        body = json.loads(specimen.value or b"")
        message = specimen.topic == "messages"
        item = {
            "format": 1,
            "kind": "message" if message else "listing",
            "topic": f"{prefix}{specimen.topic}",
            "partition": number % 4,
            "offset": FIRST_CLAIM + number,
            "timestamp_us": now_us - DAY_US // 2,
            "key": base64.b64encode(specimen.key or b"").decode(),
            "value": base64.b64encode(specimen.value or b"").decode(),
            "headers": [],
            "turns": [[7, body["message_id"], now_us - DAY_US, body["writer"], body["text"]]]
            if message
            else [],
            "revision": 0,
            "alerted": [],
            "put_aside_at_us": now_us - DAY_US // 2,
            "attempts": 1,
        }
        # A day ago: the pause that attempts call for, up to a minute, is over.
        yield Specimen("rescore", specimen.key, encoded(item), timestamp_ms=(now_us - DAY_US) // 1000)


def claim_of(specimen: Specimen) -> tuple[str, int, int] | None:
    """The place that a record of `rescore` says its event has, None if it says nothing of the kind."""
    try:
        body = json.loads(specimen.value or b"")
        place = body["topic"], body["partition"], body["offset"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return place if [type(part) for part in place] == [str, int, int] else None


def _field(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body[rng.choice(list(body))] = rng.choice((*_NUMBERS, "x", [], {}, [[]], "あ", "////", ["x"]))


def _number(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body[rng.choice(("partition", "timestamp_us", "revision", "put_aside_at_us", "attempts", "format"))] = (
        rng.choice(_NUMBERS)
    )


def _turns(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    turn = [7, "m", 1_700_000_000_000_000, "seller", "はい"]
    body["turns"] = rng.choice((
        [], [turn] * 5, [turn] * 40, [turn[:3]], [[*turn, 1, True, True, True, 9]], [[*turn[:2], rng.choice(_NUMBERS), *turn[3:]]],
        [[rng.choice(_NUMBERS), *turn[1:]]], [[7, "m", 1, "robot", "x"]], [[7, "", 1, "buyer", "あ" * 20_000]], ["turn"], {},
        [[7, "\ud800", 1, "buyer", "\udfff"]], [turn] * 20_000,
    ))  # fmt: skip


def _event(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    value = base64.b64decode(body["value"])
    at = rng.randrange(len(value))
    other = rng.choice(
        (
            b"",
            b"{}",
            b"[" * 3000,
            value[:at],
            value[:at] + b"\xff" + value[at:],
            value[:-1] + b',"writer":7,"title":7}',
        )
    )
    body["value"] = base64.b64encode(other).decode()


def _kind(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["kind"] = rng.choice(("listing", "message", "decision", "", 1))


def _end_of_time(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    value = base64.b64decode(body["value"])
    field = b'"sent_at"' if body["kind"] == "message" else b'"updated_at"'
    body["value"] = base64.b64encode(value[:-1] + b"," + field + b':"9999-12-31T23:59:59.999999Z"}').decode()
    body["timestamp_us"] = 253_402_300_799_000_000


def _headers(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["headers"] = rng.choice(
        (
            [["sekisho.format", "MQ=="]],
            [["sekisho.format", "Mg=="]],
            [["a", "%"]],
            [["a"]],
            [["", ""]] * 1000,
            {},
            [[7, ""]],
        )
    )


def _alerted(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["alerted"] = rng.choice((["rule:harassment:x"], ["x"] * 5000, [""], [7], "rule", [None]))
    body["revision"] = rng.choice((0, 1, 7, 2**31 - 1))


def _bits(rng: Random, specimen: Specimen) -> Specimen:
    out = bytearray(specimen.value or b"")
    for _ in range(rng.randint(1, 4)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return replace(specimen, value=bytes(out))


def _apart(change: Change) -> Change:
    """The change, but a place that it makes up is no other record's: the books find a prediction by its place.

    Below `FIRST_CLAIM` stand records that were really sent, up to twice that what others of these records claim.
    """

    def changed(rng: Random, specimen: Specimen) -> Specimen:
        after = change(rng, specimen)
        before, claim = claim_of(specimen), claim_of(after)
        own = FIRST_CLAIM if before is None else before[2]
        if claim is None or claim[2] == own or not 0 <= claim[2] < 2 * FIRST_CLAIM:
            return after
        return replace(after, value=encoded({**json.loads(after.value or b""), "offset": own + FIRST_CLAIM}))

    return changed


MUTATORS = tuple(
    Mutator(f"rescore: {name}", _apart(change), topics=("rescore",), share=0.3)
    for name, change in (
        ("untouched", lambda rng, specimen: specimen),
        ("bits flipped", _bits),
        (
            "cut short",
            lambda rng, specimen: replace(specimen, value=(specimen.value or b"")[: rng.randint(0, 900)]),
        ),
        ("a field of another type", of_body(_field)),
        ("numbers out of range", of_body(_number)),
        ("turns", of_body(_turns)),
        ("another event inside", of_body(_event)),
        ("another kind", of_body(_kind)),
        ("the end of time", of_body(_end_of_time)),
        ("headers inside", of_body(_headers)),
        ("alerted before", of_body(_alerted)),
        ("no value", lambda rng, specimen: replace(specimen, value=None)),
    )
)
