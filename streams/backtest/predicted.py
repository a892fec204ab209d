"""A past prediction as a backtest needs it: what was judged, what was said of it, and what was made of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from streams.alerts import Subject, alert_id
from streams.backtest.history import Skipped
from streams.events import ImageSource, Listing
from streams.features.listing import listing_features
from streams.features.tensors import (
    WINDOW,
    WRITER_CODES,
    ListingFeatures,
    WindowFeatures,
    status_code,
)
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion
from streams.published import MessageSubject, Prediction, Shown
from streams.stress.identity import of_a_stress_run

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder(Prediction).decode


@dataclass(frozen=True, slots=True)
class Predicted:
    """One prediction. `scores` are the recorded ones, None where the model failed.

    `ruled` are the domains in which an active rule fired, `alerts` the ids of the alerts that were raised. `source`
    is the event's place in Kafka; a repeat has the same.
    """

    subject: Subject
    source: tuple[str, int, int]
    scored_at_us: int
    scores: Mapping[ModelVersion, float | None]
    ruled: frozenset[str]
    alerts: frozenset[str]
    shown: Shown

    def alert_id(self, domain: str) -> str:
        """The id that its alert in a domain has, raised or not."""
        return alert_id(self.subject, domain)

    @property
    def text(self) -> str:
        """What people recognise it by: the message itself, or the listing's title; masked."""
        if isinstance(self.shown.messages, tuple) and self.shown.messages:
            return self.shown.messages[-1].text
        return "" if isinstance(self.shown.listing, msgspec.UnsetType) else self.shown.listing.title


def predicted_of(value: bytes | None) -> Predicted | Skipped:
    """What a record of `predictions` says, or why it cannot be used. Stress runs' events count for nothing."""
    try:
        body = _decode(value or b"")
        scored_at = datetime.fromisoformat(body.scored_at)
        scores = {ModelVersion(one.model, int(one.version)): one.score for one in body.scores}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return Skipped("not_a_prediction", str(error))
    subject = body.subject
    key, ids = (
        (
            subject.transaction_id,
            (("message_id", subject.message_id), ("transaction_id", subject.transaction_id)),
        )
        if isinstance(subject, MessageSubject)
        else (
            subject.listing_id,
            (("listing_id", subject.listing_id), ("seller_id", subject.seller_id)),
        )
    )
    if of_a_stress_run(value for _, value in ids):
        return Skipped("stress_run", "an event of a load test")
    if scored_at.tzinfo is None:
        scored_at = scored_at.replace(tzinfo=UTC)
    return Predicted(
        subject=Subject(
            "message" if isinstance(subject, MessageSubject) else "listing", key, ids, body.content
        ),
        source=(body.source.topic, body.source.partition, body.source.offset),
        scored_at_us=(scored_at - _EPOCH) // timedelta(microseconds=1),
        scores=scores,
        ruled=frozenset(rule.domain for rule in body.rules if rule.mode == "active"),
        alerts=frozenset(body.alerts),
        shown=body.input,
    )


def window_features(shown: Shown, text: TextPipeline) -> WindowFeatures | None:
    """The window as message models see it, from the masked texts; None when the record holds no window.

    Placeholders of personal data are single tokens in masked text as in the text they were put into, so the tokens are
    those of the original but for names, which the words around them give away.
    """
    if not isinstance(shown.messages, tuple) or not 1 <= len(shown.messages) <= WINDOW:
        return None
    status = shown.status if isinstance(shown.status, str) else None
    return WindowFeatures(
        tokens=tuple(text.prepare(turn.text).tokens for turn in shown.messages),
        writers=tuple(WRITER_CODES[turn.writer] for turn in shown.messages),
        status=status_code(status),
    )


def picture_less_features(shown: Shown, text: TextPipeline) -> ListingFeatures | None:
    """The listing as listing models see it without its picture, which predictions do not hold; None without a listing."""
    if isinstance(shown.listing, msgspec.UnsetType):
        return None
    kept = shown.listing
    listing = Listing(
        listing_id=kept.listing_id,
        seller_id=kept.seller_id,
        title=kept.title,
        description=kept.description,
        price=kept.price,
        currency=kept.currency,
        category=kept.category,
        brand=kept.brand,
        condition=kept.condition,
        images=(ImageSource(),) * kept.images,
        attributes=kept.attributes,
    )
    return listing_features(
        listing, title=text.prepare(kept.title), description=text.prepare(kept.description)
    )
