"""What splitting, sampling and the guard against leakage need to know of an example, without its words."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from models.data.examples import Example, ExampleError, Kind, checked_labels, place_of
from models.data.rule_hits import RuleHits
from streams.features.normal_form import normalise
from streams.features.tensors import WINDOW, WRITER_CODES

_SHAPES: Final[Mapping[Kind, str]] = {"message": "window of messages", "listing": "listing"}
_SHOWN_LETTERS: Final = 60


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
        except ExampleError as error:
            raise ExampleError(f"{place}: not a {_SHAPES[kind]}: {error}") from error
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            msgspec.ValidationError,
        ) as error:
            raise ExampleError(f"{place}: not a {_SHAPES[kind]}: {error!r}") from error
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
    window = _window(example)
    sellers: list[Any] = [m.get("sender_id") for m in window if m["writer"] == "seller"]
    seller = next((one for one in reversed(sellers) if one), None)
    words = "\n".join(message["text"] for message in window)
    return window[-1].get("sent_at"), _text_or_none(example, "transaction_id"), seller, words


def _window(example: Example) -> list[Mapping[str, Any]]:
    """The last messages. Raises ExampleError, without the place, for what serving would not take."""
    messages = example["messages"]
    if not isinstance(messages, list) or not messages:
        raise ExampleError(f'"messages" must be a list of at least one message, not {_cut(messages)}')
    _text_or_none(example, "status")
    window: list[Mapping[str, Any]] = messages[-WINDOW:]
    for number, message in enumerate(window, start=len(messages) - len(window) + 1):
        if not isinstance(message, Mapping):
            raise ExampleError(f"message {number} must be an object, not {_cut(message)}")
        if not isinstance(message.get("text"), str):
            raise ExampleError(f'message {number}: "text" must be a string, not {_cut(message.get("text"))}')
        if message.get("writer") not in tuple(WRITER_CODES):
            raise ExampleError(
                f'message {number}: "writer" must be {" or ".join(WRITER_CODES)}, not {_cut(message.get("writer"))}'
            )
        _text_or_none(message, "sender_id")
    return window


def _text_or_none(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ExampleError(f'"{name}" must be a string, not {_cut(value)}')
    return value


def _cut(value: object) -> str:
    """As JSON, short enough for one line."""
    return textwrap.shorten(
        json.dumps(value, ensure_ascii=False, default=str), _SHOWN_LETTERS, placeholder=" …"
    )


def _of_listing(example: Example) -> _Read:
    listing = example["listing"]
    words = "\n".join([listing["title"], listing.get("description") or ""])
    return listing.get("updated_at"), listing.get("listing_id"), listing.get("seller_id"), words


def _seconds(at: object) -> float:
    try:
        moment = datetime.fromisoformat(at if isinstance(at, str) else "")
    except ValueError as error:
        raise ExampleError(f"the time must be as 2026-05-02T09:12:00Z (RFC 3339), not {_cut(at)}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
