"""What splitting, sampling and the guard against leakage need to know of an example, without its words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.data.examples import Example, ExampleError, Kind, checked_labels, place_of
from models.data.rule_hits import RuleHits
from streams.features.normal_form import normalise
from streams.features.tensors import WINDOW


@dataclass(frozen=True, slots=True)
class ExampleFacts:
    """`at` is seconds since 1970 (UTC), None where the example does not say.

    `subject` is the transaction or the listing, `seller` None where unknown, `text` a hash of the normalised words of
    the window or the listing. `hard` says that whoever made the data marked it so, `rule_hits` which domains' rules
    fire on it (empty where no rules were asked).
    """

    place: str
    at: float | None
    subject: str | None
    seller: str | None
    text: bytes
    labels: Mapping[str, float | None]
    hard: bool
    rule_hits: frozenset[str] = frozenset()


def facts_of(
    examples: Iterable[Example], kind: Kind, rules: RuleHits | None = None
) -> Iterator[ExampleFacts]:
    """The facts of each. Raises `ExampleError` naming file, line and what to do for one that is not of the shape."""
    for number, example in enumerate(examples, start=1):
        place = place_of(example, number)
        labels = checked_labels(example, place)
        other = "listing" if kind == "message" else "messages"
        if other in example and ("messages" if kind == "message" else "listing") not in example:
            raise ExampleError(f'{place}: has "{other}", but the model is of kind {kind}')
        read = _of_window if kind == "message" else _of_listing
        try:
            at, subject, seller, words = read(example)
            seconds = None if at is None else _seconds(at)
            hits = frozenset() if rules is None else rules.domains(example)
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            msgspec.ValidationError,
        ) as error:
            shape = "window of messages" if kind == "message" else "listing"
            raise ExampleError(f"{place}: not a {shape}: {error!r}") from error
        digest = hashlib.blake2b(
            " ".join(normalise(words).split()).encode("utf-8", "replace"), digest_size=16
        )
        yield ExampleFacts(
            place,
            seconds,
            subject,
            seller,
            digest.digest(),
            labels,
            hard=example.get("hard") is True,
            rule_hits=hits,
        )


_Read = tuple[str | None, str | None, str | None, str]


def _of_window(example: Example) -> _Read:
    window = example["messages"][-WINDOW:]
    sellers: list[Any] = [m.get("sender_id") for m in window if m["writer"] == "seller"]
    seller = next((one for one in reversed(sellers) if one), None)
    words = "\n".join(message["text"] for message in window)
    return window[-1].get("sent_at"), example.get("transaction_id"), seller, words


def _of_listing(example: Example) -> _Read:
    listing = example["listing"]
    words = "\n".join([listing["title"], listing.get("description") or ""])
    return listing.get("updated_at"), listing.get("listing_id"), listing.get("seller_id"), words


def _seconds(at: str) -> float:
    moment = datetime.fromisoformat(at)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
