"""Labelled examples for training and replay, in the two JSON shapes of the contract: windows of messages, listings."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from marketplace import conversations, listings
from marketplace.conversations import Mix
from marketplace.drift import Drift
from marketplace.listings import ListingMix
from marketplace.traffic import Pace, TrafficEvent, traffic

#: Messages of a conversation that an example shows, the last being the one that is labelled.
WINDOW = 5

_SECONDS_A_DAY = 86_400
_MESSAGES_ONLY = Pace(listing_share=0.0)
#: So few messages come between the listings that making and dropping them costs next to nothing.
_LISTINGS_MOSTLY = Pace(listing_share=0.9)


def windows(events: Iterable[TrafficEvent], *, mark_hard: bool = False) -> Iterator[dict[str, Any]]:
    """Every message with up to four before it: `{"transaction_id", "status", "messages", "labels"}`.

    `mark_hard` adds `"hard": true` to harmless ones that look like violations, or stand beside one. Conversations are remembered as long as the events last, so hand in a bounded stretch of traffic.
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
            **_hardness(event, mark_hard),
        }


def message_examples(
    seed: int,
    count: int,
    *,
    start: datetime,
    mix: Mix = conversations.TRAFFIC,
    days: float | None = None,
    drift: Drift | None = None,
    mark_hard: bool = False,
) -> Iterator[dict[str, Any]]:
    """`count` windows of successive messages, spread over about so many days; one a second without `days`."""
    pace = _MESSAGES_ONLY if days is None else replace(_MESSAGES_ONLY, events_per_s=_rate(count, days))
    events = traffic(seed, start=start, pace=pace, messages=mix, drift=drift)
    return islice(windows(events, mark_hard=mark_hard), count)


def listing_examples(
    seed: int,
    count: int,
    *,
    start: datetime,
    mix: ListingMix = listings.TRAFFIC,
    days: float | None = None,
    drift: Drift | None = None,
    mark_hard: bool = False,
) -> Iterator[dict[str, Any]]:
    """`count` examples `{"listing", "labels"}` of successive listings, pictures inside as base64."""
    pace = _LISTINGS_MOSTLY
    if days is not None:
        pace = replace(pace, events_per_s=_rate(count, days) / pace.listing_share)
    events = traffic(seed, start=start, pace=pace, goods=mix, drift=drift)
    found = (
        {"listing": event.value, "labels": event.labels, **_hardness(event, mark_hard)}
        for event in events
        if event.topic == "listings"
    )
    return islice(found, count)


def _hardness(event: TrafficEvent, mark_hard: bool) -> dict[str, bool]:
    return {"hard": True} if mark_hard and event.hard else {}


def _rate(count: int, days: float) -> float:
    """Events per second that fill so many days."""
    return count / (days * _SECONDS_A_DAY)
