"""Reads files of events and of examples and gives the records to send, key and value, without sending (pure)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Topic = Literal["listings", "messages", "reports", "decisions"]

INPUTS: Final = ("listings", "messages", "reports", "decisions")
#: The field of an event that its record is keyed by, so that what belongs together stays on one partition.
KEY_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "listings": ("listing_id",),
    "messages": ("transaction_id",),
    "reports": ("listing_id", "transaction_id"),
    "decisions": ("alert_id",),
}
#: Where a report holds what it is about, and with it the id that its record is keyed by.
_REPORTED: Final = ("listing", "message", "subject")
#: Fields that make an event a new one when a file is sent again. Decisions speak of alerts and reports of events:
#: theirs stay.
_IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    "listings": ("listing_id", "event_id"),
    "messages": ("transaction_id", "message_id", "event_id"),
    "reports": ("report_id",),
    "decisions": (),
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send; `key` is None only where none can be read from lines passed on as they are."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that cannot be sent to the topic, and why."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class _UnusableError(ValueError):
    """Why a line cannot be sent."""


def records(
    lines: Iterable[bytes],
    *,
    path: str,
    topic: Topic,
    read_image: Callable[[str], bytes],
    lap: int = 1,
) -> Iterator[Outgoing | Refusal]:
    """The records that a JSONL file holds for a topic, in order; blank lines are skipped.

    Three shapes, told apart line by line: an event of the contract (its bytes are sent unchanged), an example
    conversation `{"transaction_id", "status", "messages": […], "labels"}` (one record per message), an example listing
    `{"listing": {…, "image": "relative path"?}, "labels"}`. Labels are never sent. `read_image` gives the bytes of an
    example's image and raises `OSError` where it cannot. From the second `lap` on, ids get the suffix `~<lap>`, so
    that a file sent again is new traffic and not a replay.
    """
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            yield from _of_line(text, topic, read_image, lap)
        except _UnusableError as error:
            yield Refusal(path, number, str(error))


def records_as_they_are(lines: Iterable[bytes], topic: Topic) -> Iterator[Outgoing]:
    """Every line as a record, usable or not: for trying what becomes of bad input. Keyed where an id can be read."""
    for line in lines:
        text = line.rstrip(b"\r\n")
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        identifier = _identifier(body, topic) if isinstance(body, dict) else None
        yield Outgoing(identifier.encode("utf-8", "replace") if identifier else None, text)


def _of_line(text: bytes, topic: Topic, read_image: Callable[[str], bytes], lap: int) -> Iterator[Outgoing]:
    try:
        body = json.loads(text)
    except UnicodeDecodeError as error:
        raise _UnusableError(f"not UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise _UnusableError(f"not JSON ({error})") from error
    if not isinstance(body, dict):
        raise _UnusableError(f"a JSON {type(body).__name__}, not an object")
    if _is_report(body):
        _require(topic, "reports", "a report")
        yield _outgoing(body, topic, lap) if lap > 1 else Outgoing(_key(body, topic), text)
    elif isinstance(body.get("messages"), list):
        _require(topic, "messages", "an example conversation")
        for event in _conversation(body):
            yield _outgoing(event, topic, lap)
    elif isinstance(body.get("listing"), dict):
        _require(topic, "listings", "an example listing")
        yield _outgoing(_listing(body["listing"], read_image), topic, lap)
    elif lap == 1:
        yield Outgoing(_key(body, topic), text)
    else:
        yield _outgoing(body, topic, lap)


def _conversation(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    transaction = body.get("transaction_id")
    if not isinstance(transaction, str) or not transaction:
        raise _UnusableError("the conversation has no `transaction_id`")
    for position, message in enumerate(body["messages"]):
        if not isinstance(message, dict):
            raise _UnusableError(f"messages[{position}] is not an object")
        event = {
            "message_id": f"{transaction}-{position}",  # examples without ids of their own get the same every time
            "transaction_id": transaction,
            "status": body.get("status"),
            **message,
        }
        yield {name: value for name, value in event.items() if value is not None}


def _listing(listing: Mapping[str, Any], read_image: Callable[[str], bytes]) -> dict[str, Any]:
    event = {name: value for name, value in listing.items() if value is not None and name != "image"}
    attributes = event.get("attributes")
    if isinstance(attributes, dict):
        # data sets write an unknown attribute as null; the contract's map holds only known ones
        event["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    relative = listing.get("image")
    if relative is not None:
        if not isinstance(relative, str):
            raise _UnusableError("`image` is not a relative path")
        try:
            data = read_image(relative)
        except OSError as error:
            raise _UnusableError(f"image {relative!r} cannot be read ({error})") from error
        images = event.get("images")
        event["images"] = [
            *(images if isinstance(images, list) else []),
            {"data": base64.b64encode(data).decode("ascii")},
        ]
    return event


def _outgoing(event: Mapping[str, Any], topic: Topic, lap: int) -> Outgoing:
    if lap > 1:
        renamed = {
            name: f"{event[name]}~{lap}" for name in _IDENTITY[topic] if isinstance(event.get(name), str)
        }
        event = {**event, **renamed}
    return Outgoing(_key(event, topic), _encode(event))


def _key(event: Mapping[str, Any], topic: Topic) -> bytes:
    identifier = _identifier(event, topic)
    if identifier is None:
        names = " or ".join(f"`{name}`" for name in KEY_FIELDS[topic])
        raise _UnusableError(f"no {names}, which records of {topic} are keyed by")
    return identifier.encode("utf-8", "replace")


def _identifier(event: Mapping[str, Any], topic: Topic) -> str | None:
    places = [event.get(name) for name in _REPORTED] if topic == "reports" else [event]
    found = [place.get(name) for place in places if isinstance(place, dict) for name in KEY_FIELDS[topic]]
    return next((each for each in found if isinstance(each, str) and each), None)


def _is_report(body: Mapping[str, Any]) -> bool:
    return "report_id" in body and any(isinstance(body.get(name), dict) for name in _REPORTED)


def _encode(event: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate is legal in JSON only as an escape
        return json.dumps(event, separators=(",", ":")).encode()


def _require(topic: Topic, expected: Topic, what: str) -> None:
    if topic != expected:
        raise _UnusableError(f"{what} belongs to the topic {expected}, not {topic}")
