"""Predictions as the engine writes them, for the tests of backtests of models."""

from __future__ import annotations

import json
from collections.abc import Sequence

from streams.alerts import (
    ModelEvidence,
    RuleEvidence,
    Screened,
    alert_id,
    listing_subject,
    message_subject,
    prediction_record,
)
from streams.backtest.history import Skipped
from streams.backtest.predicted import Predicted, predicted_of
from streams.events import Listing, Message, Position

NOON_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
HOUR_US = 3_600_000_000
DOMAIN, MODEL = "harassment", "message_harassment"


def scored(score: float | None, *, version: int = 1, threshold: float = 0.9) -> ModelEvidence:
    return ModelEvidence(DOMAIN, MODEL, version, "champion", threshold, score)


def fired(mode: str = "active") -> RuleEvidence:
    return RuleEvidence(DOMAIN, "harassment.words", "v", mode, "high", 1, ())


def value(
    number: int,
    *scores: ModelEvidence,
    rules: Sequence[RuleEvidence] = (),
    text: str = "ばか",
    hour: int = 0,
    message_id: str | None = None,
) -> bytes:
    message = Message(
        message_id=message_id or f"m{number}", transaction_id=f"t{number}", writer="buyer", text=text
    )
    subject = message_subject(message)
    raised = any(item.raises_alert for item in (*scores, *rules))
    shown = {
        "status": "shipped",
        "messages": [{"message_id": message.message_id, "writer": "buyer", "text": text}],
    }
    at_us = NOON_US + hour * HOUR_US
    body = prediction_record(
        Screened(subject, Position("messages", 0, number), at_us, (), tuple(rules), shown, "r", "p"),
        scores,
        alerts=[alert_id(subject, DOMAIN)] if raised else [],
        notes=(),
        now_us=at_us,
    )
    return json.dumps(body, ensure_ascii=False).encode()


def predicted(number: int, *scores: ModelEvidence, **more: object) -> Predicted:
    found = predicted_of(value(number, *scores, **more))  # type: ignore[arg-type]
    assert not isinstance(found, Skipped)
    return found


def listing_value(number: int, title: str, description: str, **more: object) -> bytes:
    listing = Listing(listing_id=f"l{number}", seller_id="s1", title=title, description=description, **more)  # type: ignore[arg-type]
    shown = {
        "listing": {
            "listing_id": listing.listing_id,
            "seller_id": "s1",
            "title": title,
            "description": description,
            "price": listing.price,
            "currency": listing.currency,
            "category": listing.category,
            "brand": listing.brand,
            "condition": listing.condition,
            "images": len(listing.images),
            "attributes": listing.attributes,
        }
    }
    screened = Screened(
        listing_subject(listing), Position("listings", 0, number), NOON_US, (), (), shown, "r", "p"
    )
    body = prediction_record(screened, [], alerts=[], notes=(), now_us=NOON_US)
    return json.dumps(body, ensure_ascii=False).encode()
