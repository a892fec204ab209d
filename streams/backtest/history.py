"""Past events from files and topics, with what is known about them, and the reasons of those that cannot be used (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from streams.events import (
    BadRecord,
    Decoded,
    Listing,
    Message,
    decode_decision,
    decode_listing,
    decode_message,
)


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message that was sent, with its labels by domain (True is a violation)."""

    decoded: Decoded[Message]
    labels: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastListing:
    """A listing that was put up, with its labels by domain."""

    decoded: Decoded[Listing]
    labels: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that cannot be used: a stable code, as in dead letters, and what exactly."""

    reason: str
    detail: str


Past = PastMessage | PastListing | Skipped

_parse = msgspec.json.Decoder().decode


def past_of_line(line: bytes, *, without_time_us: int) -> Iterator[Past]:
    """What a line of JSONL holds: an event of the contract, an example conversation, or an example listing.

    `without_time_us` is taken for events that do not say when they happened.
    """
    if b'"messages"' not in line and b'"listing"' not in line:  # an event; parsed once, by its decoder
        yield _event(line, without_time_us)
        return
    try:
        body = _parse(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield Skipped("not_json", str(error))
        return
    if isinstance(body, dict) and isinstance(body.get("messages"), list):
        yield from _conversation(body, without_time_us)
    elif isinstance(body, dict) and isinstance(body.get("listing"), dict):
        yield _example_listing(body, without_time_us)
    else:
        yield _event(line, without_time_us)


def past_of_record(value: bytes | None, *, kind: str, timestamp_us: int) -> Past:
    """An event as it stands in a topic."""
    try:
        if kind == "listing":
            return PastListing(decode_listing(value, key=None, timestamp_us=timestamp_us))
        return PastMessage(decode_message(value, key=None, timestamp_us=timestamp_us))
    except BadRecord as error:
        return Skipped(error.reason, error.detail)


def verdict_of(value: bytes | None) -> tuple[str, bool] | Skipped | None:
    """Alert id and whether a moderator found a violation; None for one who was unsure."""
    try:
        decision = decode_decision(value, key=None, timestamp_us=0).event
    except BadRecord as error:
        return Skipped(error.reason, f"no decision: {error.detail}")
    return None if decision.verdict == "unsure" else (decision.alert_id, decision.verdict == "violation")


def _event(line: bytes, without_time_us: int) -> Past:
    kind = "listing" if b'"listing_id"' in line and b'"message_id"' not in line else "message"
    return past_of_record(line, kind=kind, timestamp_us=without_time_us)


def _conversation(body: Mapping[str, Any], without_time_us: int) -> Iterator[Past]:
    """The messages of an example; its labels speak of the last one."""
    transaction = str(body.get("transaction_id", ""))
    last = len(body["messages"]) - 1
    for position, message in enumerate(body["messages"]):
        if not isinstance(message, dict):
            yield Skipped("wrong_type", f"messages[{position}] of {transaction}")
            continue
        event = {
            "message_id": f"{transaction}-{position}",
            "transaction_id": transaction,
            "status": body.get("status"),
            **message,
        }
        # without times of their own the messages keep the order they stand in
        past = past_of_record(
            msgspec.json.encode(event), kind="message", timestamp_us=without_time_us + position
        )
        if position == last and isinstance(past, PastMessage):
            past = PastMessage(past.decoded, _labels(body))
        yield past


def _example_listing(body: Mapping[str, Any], without_time_us: int) -> Past:
    listing = {
        name: value for name, value in body["listing"].items() if value is not None and name != "image"
    }
    if isinstance(listing.get("attributes"), dict):
        listing["attributes"] = {
            name: value for name, value in listing["attributes"].items() if value is not None
        }
    past = past_of_record(msgspec.json.encode(listing), kind="listing", timestamp_us=without_time_us)
    return PastListing(past.decoded, _labels(body)) if isinstance(past, PastListing) else past


def _labels(body: Mapping[str, Any]) -> dict[str, bool]:
    labels = body.get("labels")
    if not isinstance(labels, dict):
        return {}
    return {str(domain): bool(label) for domain, label in labels.items() if label in (0, 1)}
