"""Endless traffic: many transactions at once and new listings between their messages, in the order of their times."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from marketplace import conversations, listings
from marketplace.conversations import Mix, Turn
from marketplace.drift import Drift
from marketplace.listings import ListingMix
from marketplace.pictures import PicturePool

Topic = Literal["listings", "messages", "reports"]


@dataclass(frozen=True, slots=True)
class TrafficEvent:
    """One event for Kafka with its truth: `labels` maps each domain that applies to the topic to 0 or 1, of a report
    the reported one.

    `hard`: it violates nothing but looks like it, or answers a violation.
    """

    topic: Topic
    key: str
    value: dict[str, Any]
    labels: dict[str, int]
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the generated marketplace lives. Events carry its times, whatever speed they are sent at."""

    events_per_s: float = 1.0
    listing_share: float = 0.2
    #: With more transactions at once each one speaks more seldom; the messages per second stay the same.
    active_transactions: int = 150

    def __post_init__(self) -> None:
        if self.events_per_s <= 0 or self.active_transactions < 1:
            raise ValueError("events_per_s must be above 0 and active_transactions at least 1")
        if not 0 <= self.listing_share < 1:
            raise ValueError(f"listing_share is {self.listing_share}, not within 0..1 (1 excluded)")


def traffic(
    seed: int,
    *,
    start: datetime,
    pace: Pace | None = None,
    messages: Mix = conversations.TRAFFIC,
    goods: ListingMix = listings.TRAFFIC,
    drift: Drift | None = None,
) -> Iterator[TrafficEvent]:
    """The same endless events for the same arguments, times from `start` on.

    With a `drift` a conversation is as the mix is when it begins, and a listing as it is when it is put up.
    Raises ValueError for a `start` without a time zone.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone, e.g. datetime(2026, 1, 1, tzinfo=UTC)")
    return _events(seed, start, pace or Pace(), messages=messages, goods=goods, drift=drift)


def _events(
    seed: int, start: datetime, pace: Pace, *, messages: Mix, goods: ListingMix, drift: Drift | None
) -> Iterator[TrafficEvent]:
    rng = Random(seed)  # noqa: S311 - made-up traffic, no secret
    pictures = PicturePool(seed)

    def begun(at_s: float) -> tuple[Turn, ...]:
        mix = messages if drift is None else drift.mix(messages, start + timedelta(seconds=at_s))
        return conversations.conversation(rng, mix)

    gap_s = pace.active_transactions / (pace.events_per_s * (1 - pace.listing_share))
    # (time of the next message in seconds, transaction number, turns, index of the next turn); numbers are unique,
    # so no two entries are compared further than that.
    speaking: list[tuple[float, int, tuple[Turn, ...], int]] = []
    transactions = listed = 0
    while transactions < pace.active_transactions:
        # Begun at random places so that the first minutes look like any other.
        turns = begun(0.0)
        heapq.heappush(speaking, (rng.uniform(0, gap_s), transactions, turns, 0))
        transactions += 1
    listing_gap_s = 1 / (pace.events_per_s * pace.listing_share) if pace.listing_share else float("inf")
    next_listing_s = rng.expovariate(1) * listing_gap_s if pace.listing_share else float("inf")
    while True:
        if next_listing_s <= speaking[0][0]:
            put_up = start + timedelta(seconds=next_listing_s)
            mix = goods if drift is None else drift.mix(goods, put_up)
            value, labels, hard = listings.listing(rng, mix, pictures)
            identity = f"l{seed}-{listed:07d}"
            listed += 1
            at = _rfc3339(start, next_listing_s)
            value = {"listing_id": identity, **value, "updated_at": at}
            yield TrafficEvent("listings", identity, value, labels, hard)
            next_listing_s += rng.expovariate(1) * listing_gap_s
            continue
        at_s, transaction, turns, index = speaking[0]
        yield _message(seed, transaction, turns[index], index, _rfc3339(start, at_s))
        # Milliseconds apart at least, so that a conversation's order is that of its times.
        later_s = at_s + 0.002 + rng.expovariate(1) * gap_s
        if index + 1 < len(turns):
            heapq.heapreplace(speaking, (later_s, transaction, turns, index + 1))
        else:
            heapq.heapreplace(speaking, (later_s, transactions, begun(later_s), 0))
            transactions += 1


def _message(seed: int, transaction: int, turn: Turn, index: int, at: str) -> TrafficEvent:
    identity = f"t{seed}-{transaction:07d}"
    value = {
        "message_id": f"{identity}-{index:02d}",
        "transaction_id": identity,
        "writer": turn.writer,
        "sender_id": f"{identity}-{turn.writer}",
        "text": turn.text,
        "status": turn.status,
        "sent_at": at,
    }
    return TrafficEvent("messages", identity, value, dict(turn.labels), turn.hard)


def _rfc3339(start: datetime, after_s: float) -> str:
    return (start + timedelta(seconds=after_s)).isoformat(timespec="milliseconds")
