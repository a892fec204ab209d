"""What a campaign sends: a generated marketplace with marker words, repetitions, edits, latecomers, and poison."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final, Literal

import orjson

import marketplace
from tests.faults.editions import MARKERS

#: Of all messages or listings, so many hold each marker word; so many messages come twice, are edited, come late.
MARKER_SHARE, REPEAT_SHARE, EDIT_SHARE, LATE_SHARE = 0.012, 0.01, 0.01, 0.02
#: Each transaction speaks every 12 s or so, so that silences of a minute (see `campaign.IDLE_S`) happen but seldom.
GAP_S: Final = 12.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send."""

    topic: Literal["messages", "listings"]
    key: bytes | None
    value: bytes | None
    poison: str | None = None


def events(seed: int, *, start: datetime, rate: float) -> Iterator[Outgoing]:
    """Endless usable events; the same for the same arguments."""
    pace = marketplace.Pace(events_per_s=rate, active_transactions=max(10, int(GAP_S * rate)))
    rng = Random(f"{seed}/marks")
    held: dict[str, dict[str, Any]] = {}
    for event in marketplace.traffic(seed, start=start, pace=pace):
        value = _marked(event.topic, event.value, rng)
        if event.topic == "listings":
            yield Outgoing("listings", event.key.encode(), orjson.dumps(value))
            continue
        late = held.pop(event.key, None)
        if late is None and rng.random() < LATE_SHARE:
            held[event.key] = value  # until the next message of its conversation has gone out
            continue
        yield from _sent(value, rng)
        if late is not None:
            yield from _sent(late, rng)


def _sent(value: dict[str, Any], rng: Random) -> Iterator[Outgoing]:
    key = value["transaction_id"].encode()
    yield Outgoing("messages", key, orjson.dumps(value))
    drawn = rng.random()
    if drawn < REPEAT_SHARE:
        yield Outgoing("messages", key, orjson.dumps(value))
    elif drawn < REPEAT_SHARE + EDIT_SHARE:
        yield Outgoing("messages", key, orjson.dumps({**value, "text": f"{value['text']} (edited)"}))


def _marked(topic: str, value: dict[str, Any], rng: Random) -> dict[str, Any]:
    kind, name = ("listing", "title") if topic == "listings" else ("message", "text")
    words = [marker.word for marker in MARKERS if marker.kind == kind and rng.random() < MARKER_SHARE]
    if not words:
        return value
    marked = copy.copy(value)
    marked[name] = " ".join([value[name], *words])
    return marked


_GOOD_MESSAGE: Final = {"message_id": "p", "transaction_id": "p", "writer": "buyer", "text": "はい"}
_GOOD_LISTING: Final = {"listing_id": "p", "seller_id": "p", "title": "鞄"}

#: What cannot be used, by the reason that its dead letter must give.
_POISONS: Final[tuple[tuple[str, Callable[[dict[str, Any]], bytes | None]], ...]] = (
    ("empty", lambda good: None),
    ("empty", lambda good: b""),
    ("not_json", lambda good: b"\x00\x01{"),
    ("not_json", lambda good: orjson.dumps(good)[:-1]),
    ("not_json", lambda good: b"[" * 5000),
    ("not_utf8", lambda good: orjson.dumps(good)[:-2] + b"\xff\xfe\x22}"),
    ("wrong_type", lambda good: b"[1, 2, 3]"),
    ("wrong_type", lambda good: orjson.dumps(dict.fromkeys(good, 7))),
    ("missing_field", lambda good: b'{"hello": "there"}'),
    ("bad_value", lambda good: orjson.dumps(dict.fromkeys(good, "") | {"writer": "buyer"})),
)


def poison(choice: int, count: int) -> Iterator[Outgoing]:
    """A burst of records that no engine can use, over both topics."""
    rng = Random(choice)
    for _ in range(count):
        topic: Literal["messages", "listings"] = rng.choice(("messages", "listings"))
        reason, make = rng.choice(_POISONS)
        value = make(_GOOD_MESSAGE if topic == "messages" else _GOOD_LISTING)
        # Kafka's clients send no record that has neither key nor value.
        key = None if value is not None and rng.random() < 0.2 else rng.randbytes(6)
        yield Outgoing(topic, key, value, poison=reason)
