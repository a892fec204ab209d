"""Mutations of what a customer reports: where it stands, what it holds, the conversation before it, the domain."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.faults.fuzz.mutator import Mutator, of_body
from tests.faults.fuzz.oracle import REPORTED
from tests.faults.fuzz.specimens import CANARY, Specimen

_MESSAGE = {"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": CANARY}
_LISTING = {"listing_id": "l", "seller_id": "s", "title": CANARY}
_ANYTHING: tuple[Any, ...] = (0, True, None, "", "x", [], {}, [None], {"type": CANARY}, "あ" * 300, -1.5)


def _several_or_none(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    for name in REPORTED:
        body.pop(name, None)
    given = rng.choice(
        ((), ("message", "listing"), ("listing", "subject"), ("message", "subject"), REPORTED, ("message",))
    )
    named = {"type": "message", "message_id": "m", "transaction_id": "t"}
    whole: dict[str, Any] = {"message": _MESSAGE, "listing": _LISTING, "subject": named}
    body.update({name: rng.choice((whole[name], whole[name], None)) for name in given})


def _inner_field(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    for name in REPORTED:
        if isinstance(body.get(name), dict):
            inner = dict(body[name])
            field = rng.choice(list(inner) or ["x"])
            if rng.random() < 0.3:
                inner.pop(field, None)
            else:
                inner[field] = rng.choice(_ANYTHING)
            body[name] = inner


def _in_its_place(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    """Another type where the reported thing stands, or a listing where a message should."""
    name = rng.choice(REPORTED)
    body[name] = rng.choice((*_ANYTHING, _MESSAGE, _LISTING, [_MESSAGE]))


def _conversation(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    reported = body.get("message")
    said = dict(reported) if isinstance(reported, dict) else dict(_MESSAGE)
    body["conversation"] = rng.choice((
        [], [said], [said] * 4, [said] * 5, [said] * 500, [{**said, "transaction_id": "another"}], [None], [{}], "text", said,
        [{**said, "text": "あ" * 90_000}] * 4, [{**said, "message_id": "e", "text": "\ud800"}], [{**said, "status": None, "zzz": 1}],
        [{**said, "message_id": "e", "sent_at": "9999-12-31T23:59:59Z"}], [{**said, "writer": CANARY}], [[said]],
    ))  # fmt: skip


def _domain(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["domain"] = rng.choice(
        (
            "patrol",
            CANARY,
            "",
            " harassment",
            "HARASSMENT",
            "counterfeit",
            "harassment",
            "../x",
            "x" * 257,
            "\0",
        )
    )


MUTATORS = tuple(
    Mutator(f"report: {name}", of_body(change), topics=("reports",), share=0.5)
    for name, change in (
        ("several things or none", _several_or_none),
        ("a field of what is reported", _inner_field),
        ("another thing in its place", _in_its_place),
        ("the conversation", _conversation),
        ("the domain", _domain),
    )
)
