"""A prediction with its labels as an example of the training shape, its texts masked whatever the topic held (pure)."""

from __future__ import annotations

from typing import Any

from models.labels.joining import Labels
from streams.features.tokens import TextPipeline
from streams.published import ListingSubject, MessageSubject, Prediction, ShownListing

Example = dict[str, Any]


class Masking:
    """Masks texts once more and counts what that changed.

    A text that is masked already stays as it is but for names that only show beside a placeholder; one that was
    written with SEKISHO_PII_MASK=false is masked here, so that no export holds what the predictions may hold.
    """

    def __init__(self, pipeline: TextPipeline | None = None) -> None:
        self._pipeline = pipeline or TextPipeline()
        self.texts = 0
        self.changed = 0

    def __call__(self, text: str) -> str:
        """The masked text."""
        masked = self._pipeline.prepare(text).masked
        self.texts += 1
        self.changed += masked != text
        return masked


def example_of(prediction: Prediction, labels: Labels, masked: Masking, *, weight: float = 1.0) -> Example:
    """The example: window or listing, `labels`, and what tells examples apart.

    `label_sources` by domain (`alert`, `patrol`, `unflagged`), `hard` where a moderator found an alert to be none,
    `contradicted` domains, `weight` (of how many events the example stands for), `scores` by "model/version" as they
    were at the time, `content` and `policy`. Time is that of the event.
    """
    body: Example
    if isinstance(prediction.subject, MessageSubject):
        body = _window(prediction, prediction.subject, masked)
    else:
        body = {"listing": _listing(prediction, prediction.subject, masked)}
    return {
        **body,
        "labels": dict(labels.values),
        "label_sources": dict(labels.sources),
        **({"hard": True} if labels.hard else {}),
        **({"contradicted": list(labels.contradicted)} if labels.contradicted else {}),
        "weight": weight,
        "scores": {
            f"{one.model}/{one.version}": one.score for one in prediction.scores if one.score is not None
        },
        "content": prediction.content,
        "policy": prediction.policy,
    }


def _window(prediction: Prediction, subject: MessageSubject, masked: Masking) -> Example:
    shown = prediction.input.messages or ()
    messages: list[dict[str, Any]] = [
        {"message_id": turn.message_id, "writer": turn.writer, "text": masked(turn.text)} for turn in shown
    ]
    if messages:
        messages[-1]["sent_at"] = prediction.event_at
    status = prediction.input.status or None
    return {"transaction_id": subject.transaction_id, "status": status, "messages": messages}


def _listing(prediction: Prediction, subject: ListingSubject, masked: Masking) -> Example:
    shown = prediction.input.listing
    assert isinstance(shown, ShownListing), "a listing's prediction shows a listing"
    stated = {
        "price": shown.price,
        "currency": shown.currency,
        "category": shown.category,
        "brand": shown.brand,
        "condition": shown.condition,
    }
    return {
        "listing_id": subject.listing_id,
        "seller_id": subject.seller_id,
        "title": masked(shown.title),
        "description": masked(shown.description),
        **{name: value for name, value in stated.items() if value is not None},
        # How many there were counts in the auxiliary values; the pictures themselves are not in predictions.
        "images": [{} for _ in range(shown.images)],
        "attributes": dict(shown.attributes),
        "updated_at": prediction.event_at,
    }
