"""Records as they stand on the wire, and the good ones that mutations begin with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, Literal

import marketplace

Topic = Literal["messages", "listings", "reports", "decisions", "rescore"]
Codec = Literal["none", "gzip", "snappy", "lz4", "zstd"]

#: Stands in texts, attributes and unknown fields of specimens; it must never be seen in a log or in a dead letter's detail.
CANARY: Final = "kanarienvogel"
#: One specimen in so many carries a picture: decoding costs some 10 ms, and most mutations are not about it.
PICTURE_EVERY: Final = 25


@dataclass(frozen=True, slots=True)
class Specimen:
    """One record to send. Header names are bytes: Kafka calls them strings and checks nothing.

    `timestamp_ms` None is the time of sending. `alone`: not in one batch with others.
    """

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[bytes, bytes | None], ...] = ()
    timestamp_ms: int | None = None
    codec: Codec = "none"
    alone: bool = False


def encoded(body: object) -> bytes:
    """JSON as producers write it; lone surrogates are escaped, NaN and Infinity written as Python does."""
    text = json.dumps(body, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def good(seed: int) -> Iterator[Specimen]:
    """Endless usable specimens: a generated marketplace, and between its events customers' reports of them and
    moderators' decisions.
    """
    rng = Random(f"{seed}/specimens")
    start = datetime(2026, 11, 21, tzinfo=UTC)
    pace = marketplace.Pace(events_per_s=200.0, active_transactions=400, listing_share=0.4)
    for number, event in enumerate(marketplace.traffic(seed, start=start, pace=pace)):
        value = dict(event.value)
        if event.topic == "listings":
            if number % PICTURE_EVERY:
                value.pop("images", None)
            value["description"] = f"{value.get('description', '')} {CANARY}"
        else:
            value["text"] = f"{value['text']} {CANARY}"
        yield Specimen(event.topic, event.key.encode(), encoded(value))
        if number % 12 == 0:
            yield _decision(number, rng)
        if number % 12 == 6:
            yield _report(number, event.topic, value, rng)


def _report(number: int, topic: str, event: dict[str, Any], rng: Random) -> Specimen:
    value: dict[str, Any] = {
        "report_id": f"r{number}",
        "reported_at": "2026-11-21T10:00:00Z",
        "reporter_id": f"customer-{number % 7}",
        "reason": CANARY,
    }
    if topic == "listings":
        key = event["listing_id"]
        value |= {"domain": rng.choice(("counterfeit", "prohibited_goods"))}
        named = {"type": "listing", "listing_id": key, "seller_id": event["seller_id"]}
        value |= {"listing": event} if rng.random() < 0.8 else {"subject": named}
    else:
        key = event["transaction_id"]
        value |= {"domain": rng.choice(("harassment", "off_platform_payment"))}
        named = {"type": "message", "message_id": event["message_id"], "transaction_id": key}
        earlier = [{**event, "message_id": f"{event['message_id']}-{at}"} for at in range(rng.randint(0, 4))]
        whole = {"message": event, "conversation": earlier}
        value |= whole if rng.random() < 0.8 else {"subject": named}
    return Specimen("reports", key.encode(), encoded(value))


def _decision(number: int, rng: Random) -> Specimen:
    alert_id = f"{rng.getrandbits(128):032x}"
    value: dict[str, Any] = {
        "alert_id": alert_id,
        "verdict": rng.choice(("violation", "no_violation", "unsure")),
        "moderator_id": f"mod-{number % 7}",
        "decided_at": "2026-11-21T10:00:00Z",
        "domain": rng.choice(("harassment", "off_platform_payment", "counterfeit")),
        "note": CANARY,
    }
    return Specimen("decisions", alert_id.encode(), encoded(value))
