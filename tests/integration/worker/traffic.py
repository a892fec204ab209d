"""Sending to the input topics, with what the tests need to know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

import marketplace
from streams.kafka.clients import producer
from streams.settings import Settings


def generated(count: int, *, seed: int = 11, rate: float = 200.0) -> list[tuple[str, bytes, bytes]]:
    """(topic, key, value) of generated marketplace events, listings with pictures among them."""
    events = marketplace.traffic(seed, start=datetime.now(UTC), pace=marketplace.Pace(events_per_s=rate))
    return [
        (event.topic, event.key.encode(), orjson.dumps(event.value))
        for _, event in zip(range(count), events, strict=False)
    ]


def message(message_id: str, text: str, **fields: Any) -> tuple[str, bytes, bytes]:
    """One `messages` event of transaction `t1` by the seller, sent now unless told otherwise."""
    event = {
        "message_id": message_id,
        "transaction_id": "t1",
        "writer": "seller",
        "text": text,
        "status": "waiting_for_payment",
        "sent_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        **fields,
    }
    return "messages", str(event["transaction_id"]).encode(), orjson.dumps(event)


def listing(listing_id: str, title: str, **fields: Any) -> tuple[str, bytes, bytes]:
    """One `listings` event."""
    event = {"listing_id": listing_id, "seller_id": "s1", "title": title, **fields}
    return "listings", listing_id.encode(), orjson.dumps(event)


async def send(
    settings: Settings,
    events: Iterable[tuple[str, bytes | None, bytes | None]],
    *,
    rate: float | None = None,
    headers: list[tuple[str, bytes]] | None = None,
    timestamp_ms: int | None = None,
) -> int:
    """Send in order and wait for every acknowledgement; the number sent."""
    waiting = []
    async with producer(settings, linger_ms=0) as client:
        for topic, key, value in events:
            waiting.append(
                await client.send(
                    settings.topic(topic), value=value, key=key, headers=headers, timestamp_ms=timestamp_ms
                )
            )
            if rate:
                await asyncio.sleep(1 / rate)
        await asyncio.gather(*waiting)
    return len(waiting)
