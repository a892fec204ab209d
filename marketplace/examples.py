"""Labelled examples for training and replay, in the two JSON shapes of the contract: windows of messages, listings."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from marketplace import conversations, listings
from marketplace.conversations import Mix
from marketplace.listings import ListingMix
from marketplace.traffic import Pace, TrafficEvent, traffic

#: Messages of a conversation that an example shows, the last being the one that is labelled.
WINDOW = 5

_MESSAGES_ONLY = Pace(listing_share=0.0)
#: So few messages come between the listings that making and dropping them costs next to nothing.
_LISTINGS_MOSTLY = Pace(listing_share=0.9)


def windows(events: Iterable[TrafficEvent]) -> Iterator[dict[str, Any]]:
    """Every message with up to four before it: `{"transaction_id", "status", "messages", "labels"}`.

    Conversations are remembered as long as the events last, so hand in a bounded stretch of traffic.
    """
    last: dict[str, deque[dict[str, Any]]] = {}
    for event in events:
        if event.topic != "messages":
            continue
        window = last.setdefault(event.key, deque(maxlen=WINDOW))
        window.append({name: event.value[name] for name in ("message_id", "writer", "text", "sent_at")})
        yield {
            "transaction_id": event.key,
            "status": event.value["status"],
            "messages": list(window),
            "labels": event.labels,
        }


def message_examples(
    seed: int, count: int, *, start: datetime, mix: Mix = conversations.TRAFFIC
) -> Iterator[dict[str, Any]]:
    """`count` windows of successive messages."""
    return islice(windows(traffic(seed, start=start, pace=_MESSAGES_ONLY, messages=mix)), count)


def listing_examples(
    seed: int, count: int, *, start: datetime, mix: ListingMix = listings.TRAFFIC
) -> Iterator[dict[str, Any]]:
    """`count` examples `{"listing", "labels"}` of successive listings, pictures inside as base64."""
    events = traffic(seed, start=start, pace=_LISTINGS_MOSTLY, goods=mix)
    found = (
        {"listing": event.value, "labels": event.labels} for event in events if event.topic == "listings"
    )
    return islice(found, count)
