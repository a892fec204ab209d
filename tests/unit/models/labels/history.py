"""A marketplace's past in a few lines: predictions as the engine writes them, alerts, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from streams.alerts import (
    ModelEvidence,
    RuleEvidence,
    Screened,
    Subject,
    alert_id,
    listing_subject,
    message_subject,
    prediction_record,
)
from streams.events import Listing, Message, Position, rfc3339
from streams.review import alerted

START = datetime(2026, 11, 1, tzinfo=UTC)
DOMAINS = ("contact_exchange", "harassment")


@dataclass(frozen=True)
class Record:
    """A Kafka record as folds see it."""

    value: bytes | None
    key: bytes | None = None
    timestamp: int = round(START.timestamp() * 1000)
    headers: Sequence[tuple[str, bytes]] = field(default=())


def at_us(hours: float) -> int:
    """So many hours after the start."""
    return round((START + timedelta(hours=hours)).timestamp() * 1_000_000)


def message(text: str, *, transaction: str = "t1", number: int = 0) -> Message:
    return Message(
        message_id=f"{transaction}-{number}",
        transaction_id=transaction,
        writer="seller",
        text=text,
        status="shipped",
    )


def score(domain: str, value: float | None, *, threshold: float = 0.9, decides: bool = True) -> ModelEvidence:
    return ModelEvidence(
        domain, f"message_{domain}", 1, "champion", threshold, value, decides=decides,
        failure=None if value is not None else "deadline",
    )  # fmt: skip


def rule(domain: str, mode: Any = "active") -> RuleEvidence:
    return RuleEvidence(domain, f"{domain}.word", "sha", mode, "high", 1, ())


def prediction(
    text: str,
    *,
    transaction: str = "t1",
    number: int = 0,
    hours: float = 0.0,
    offset: int = 0,
    scores: Sequence[ModelEvidence] = (),
    rules: Sequence[RuleEvidence] = (),
    notes: Sequence[str] = (),
    before: Sequence[str] = (),
) -> bytes:
    """The record of one message; `before` are the texts of the window's earlier turns."""
    subject = message_subject(message(text, transaction=transaction, number=number))
    turns = [
        {"message_id": f"{transaction}-before{i}", "writer": "buyer", "text": said}
        for i, said in enumerate(before)
    ]
    turns.append({"message_id": f"{transaction}-{number}", "writer": "seller", "text": text})
    return _record(
        subject, {"status": "shipped", "messages": turns}, "messages", hours, offset, scores, rules, notes
    )


def listing_prediction(
    title: str, *, listing: str = "l1", hours: float = 0.0, offset: int = 0, images: int = 1, **fields: Any
) -> bytes:
    """The record of one listing."""
    event = Listing(listing_id=listing, seller_id=f"s-{listing}", title=title, **fields)
    shown = {
        "listing_id": listing, "seller_id": f"s-{listing}", "title": title, "description": event.description,
        "price": event.price, "currency": event.currency, "category": event.category, "brand": event.brand,
        "condition": event.condition, "images": images, "attributes": event.attributes,
    }  # fmt: skip
    return _record(listing_subject(event), {"listing": shown}, "listings", hours, offset, (), (), ())


def _record(
    subject: Subject, shown: dict[str, Any], topic: str, hours: float, offset: int,
    scores: Sequence[ModelEvidence], rules: Sequence[RuleEvidence], notes: Sequence[str],
) -> bytes:  # fmt: skip
    screened = Screened(
        subject, Position(topic, 0, offset), at_us(hours), (), tuple(rules), shown, "ruleset1", "policy1"
    )
    raised = dict.fromkeys(one.domain for one in (*rules, *scores) if one.raises_alert)
    return orjson.dumps(
        prediction_record(
            screened,
            scores,
            alerts=[alert_id(subject, domain) for domain in raised],
            notes=notes,
            now_us=at_us(hours) + 1_000_000,
        )
    )


def identity(text: str, domain: str, *, transaction: str = "t1", number: int = 0) -> str:
    """The id of the alert on a message in a domain."""
    return alert_id(message_subject(message(text, transaction=transaction, number=number)), domain)


def listing_identity(title: str, domain: str, *, listing: str = "l1", **fields: Any) -> str:
    """The id of the alert on a listing in a domain."""
    event = Listing(listing_id=listing, seller_id=f"s-{listing}", title=title, **fields)
    return alert_id(listing_subject(event), domain)


def decision(alert: str, verdict: str, *, hours: float = 1.0, by: str = "mod-1", **fields: Any) -> Record:
    body = {
        "alert_id": alert,
        "verdict": verdict,
        "moderator_id": by,
        "decided_at": rfc3339(at_us(hours)),
        **fields,
    }
    return Record(orjson.dumps(body), alert.encode(), timestamp=at_us(hours) // 1000)


def raised(alert: str, domain: str, *, transaction: str = "t1") -> Record:
    facts = alerted.Alerted(
        alert_id=alert,
        domain=domain,
        revision=1,
        raised_at=rfc3339(at_us(0)),
        event_at=rfc3339(at_us(0)),
        subject={"type": "message", "message_id": "m", "transaction_id": transaction},
        raised_by=(alerted.ByRule(f"{domain}.word"),),
    )
    return Record(alerted.encode(facts), alert.encode())
