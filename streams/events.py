"""What producers send: listings, messages and decisions, decoded from raw bytes and checked by our own code.

Decoding is strict about types and lenient about what a violation could hide behind: an odd timestamp, a lone
surrogate or a missing key leave a *note* and the event is scored all the same. What cannot be understood raises
`BadRecord`, whose `reason` becomes the dead letter's `sekisho.reason`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

#: Header in which a producer may state the version of the record contract; absent means 1.
FORMAT_HEADER = "sekisho.format"
FORMAT_VERSION = b"1"

#: Statuses of a transaction, in order; the position + 1 is the models' code, 0 is "unknown".
STATUSES = (
    "waiting_for_payment",
    "waiting_for_shipping",
    "shipped",
    "waiting_for_rating",
    "completed",
    "cancelled",
)
#: A transaction of these is over; its buyer and seller may still write to each other for a while.
FINAL_STATUSES = ("completed", "cancelled")

#: An event time this far after the broker's own timestamp cannot be right (clock skew is minutes, not days).
MAX_AHEAD_US = 24 * 3600 * 1_000_000
#: No marketplace message is older than this: 2000-01-01T00:00:00Z. Catches 0, seconds-as-milliseconds and the like.
EARLIEST_US = 946_684_800 * 1_000_000
#: The last second of the year 9999, the last that a time in the outputs can be written in.
LATEST_US = 253_402_300_799_000_000

Writer = Literal["seller", "buyer"]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Text = Annotated[str, msgspec.Meta(max_length=100_000)]


class BadRecord(ValueError):
    """A record that cannot be used. `reason` is a stable code, `detail` says what and where, without the text itself."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ImageSource(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of a listing: exactly one of an address, base64 bytes, or a local path (off by default)."""

    url: str | None = None
    data: str | None = None
    path: str | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """An item put up for sale."""

    listing_id: Identifier
    seller_id: Identifier
    title: Text
    description: Text = ""
    price: float | None = None
    currency: str | None = None
    category: str | None = None
    brand: str | None = None
    condition: str | None = None
    images: Annotated[tuple[ImageSource, ...], msgspec.Meta(max_length=50)] = ()
    attributes: dict[str, str | float | bool] = msgspec.field(default_factory=dict)
    updated_at: str | None = None
    event_id: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message between the buyer and the seller of a transaction."""

    message_id: Identifier
    transaction_id: Identifier
    writer: Writer
    text: Text
    status: str | None = None
    sent_at: str | None = None
    sender_id: str | None = None
    event_id: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A moderator's verdict on an alert."""

    alert_id: Identifier
    verdict: Literal["violation", "no_violation", "unsure"]
    moderator_id: Identifier
    decided_at: Identifier
    domain: str | None = None
    reason: str | None = None
    note: str | None = None


Event = TypeVar("Event", bound=msgspec.Struct)
#: As aiokafka gives them: a header may have no value.
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in Kafka."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Event]):
    """A usable event with what was odd about it.

    `at_us` is the event time in microseconds since 1970 (UTC): the event's own where plausible, else the broker's.
    `notes` are stable codes (`lone_surrogate`, `time_implausible`, `time_unreadable`, `key_missing`, `key_mismatch`).
    """

    event: Event
    at_us: int
    notes: tuple[str, ...] = ()
    unknown_fields: tuple[str, ...] = ()


_parse_json = msgspec.json.Decoder().decode
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_WHERE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
#: How msgspec begins when it names the value: of a choice of words, of the word that chooses a type.
_NAMES_THE_VALUE = ("Invalid enum value", "Invalid value")


def decode_listing(
    value: bytes | None, *, key: bytes | None, timestamp_us: int, headers: Headers = ()
) -> Decoded[Listing]:
    """Decode a `listings` record. Raises `BadRecord`."""
    event, notes, unknown = decode_record(value, Listing, headers)
    notes += key_notes(key, event.listing_id)
    at_us, time_notes = event_time_us(event.updated_at, timestamp_us)
    return Decoded(event, at_us, notes + time_notes, unknown)


def decode_message(
    value: bytes | None, *, key: bytes | None, timestamp_us: int, headers: Headers = ()
) -> Decoded[Message]:
    """Decode a `messages` record. Raises `BadRecord`."""
    event, notes, unknown = decode_record(value, Message, headers)
    notes += key_notes(key, event.transaction_id)
    at_us, time_notes = event_time_us(event.sent_at, timestamp_us)
    return Decoded(event, at_us, notes + time_notes, unknown)


def decode_decision(
    value: bytes | None, *, key: bytes | None, timestamp_us: int, headers: Headers = ()
) -> Decoded[Decision]:
    """Decode a `decisions` record. Raises `BadRecord`."""
    event, notes, unknown = decode_record(value, Decision, headers)
    notes += key_notes(key, event.alert_id)
    at_us, time_notes = event_time_us(event.decided_at, timestamp_us)
    return Decoded(event, at_us, notes + time_notes, unknown)


def event_time_us(stated: str | None, broker_us: int) -> tuple[int, tuple[str, ...]]:
    """The time an event counts from: its own RFC 3339 time if plausible, else the broker's, with a note.

    The broker's timestamp is part of the record, so a replay gives the same answer. Kafka keeps any 64-bit number that
    a producer states; one that no calendar has is brought into range.
    """
    broker_us = min(max(0, broker_us), LATEST_US)
    if stated is None:
        return broker_us, ()
    try:
        parsed = datetime.fromisoformat(stated)
    except ValueError:
        return broker_us, ("time_unreadable",)
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        at_us = int(parsed.timestamp() * 1_000_000)
    except (OverflowError, OSError, ValueError):
        return broker_us, ("time_implausible",)
    if not EARLIEST_US <= at_us <= min(broker_us + MAX_AHEAD_US, LATEST_US):
        return broker_us, ("time_implausible",)
    return at_us, ()


def rfc3339(at_us: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC with milliseconds, e.g. `2026-11-21T10:00:00.123Z`."""
    moment = datetime.fromtimestamp(at_us / 1_000_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """A field that is null is a field that is not there, also among the attributes: producers write both."""
    attributes = body.get("attributes")
    if isinstance(attributes, dict) and None in attributes.values():
        body = {**body, "attributes": {k: v for k, v in attributes.items() if v is not None}}
    if None in body.values():
        return {k: v for k, v in body.items() if v is not None}
    return body


def decode_record(
    value: bytes | None,
    kind: type[Event],
    headers: Headers,
    *,
    cleaned: Callable[[dict[str, Any]], dict[str, Any]] = without_nulls,
) -> tuple[Event, tuple[str, ...], tuple[str, ...]]:
    """Bytes to an event of the kind: (the event, notes, names of unknown fields). Raises `BadRecord`.

    `cleaned` takes the JSON object to what is checked against the kind.
    """
    for name, stated in headers:
        if name == FORMAT_HEADER and stated != FORMAT_VERSION:
            shown = (stated or b"")[:20].decode("utf-8", "replace")
            raise BadRecord(
                "unknown_version", f"header {FORMAT_HEADER} is {shown!r}; this engine reads version 1"
            )
    if not value:
        raise BadRecord("empty", "the record has no value")
    notes: tuple[str, ...] = ()
    try:
        body = _parse_json(value)
    except RecursionError as error:
        raise BadRecord("not_json", "nested too deeply") from error
    except msgspec.DecodeError as error:
        body = _parse_leniently(value, error)
        notes = ("lone_surrogate",)
    except UnicodeDecodeError as error:
        raise BadRecord("not_utf8", f"byte {error.start} is not valid UTF-8") from error
    if not isinstance(body, dict):
        raise BadRecord("wrong_type", f"the record is a JSON {type(body).__name__}, not an object")
    body = cleaned(body)
    try:
        event = msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise _refusal(error) from error
    unknown = tuple(sorted(body.keys() - frozenset(kind.__struct_fields__)))
    return event, notes, unknown


def _parse_leniently(value: bytes, error: Exception) -> Any:  # noqa: ANN401 - JSON may hold anything
    r"""Second try for what the fast parser refuses: lone surrogates (`"\ud800"`) are legal JSON and hide words."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise BadRecord("not_utf8", f"byte {bad.start} is not valid UTF-8") from bad
    try:
        body = json.loads(text, parse_constant=_no_such_constant, parse_float=_finite)
        clean = _without_surrogates(body)
    except RecursionError as bad:  # the parser and the search for surrogates go different depths
        raise BadRecord("not_json", "nested too deeply") from bad
    except ValueError as bad:
        raise BadRecord("not_json", str(error)) from bad
    if not _ESCAPED_SURROGATE.search(text):  # the fast parser refused it for another reason
        raise BadRecord("not_json", str(error)) from error
    return clean


def _no_such_constant(name: str) -> object:
    """Python's parser takes NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is not JSON")


def _finite(written: str) -> float:
    """Python's parser takes 1e999 for infinity, which no column of a model can hold; the fast one refuses it."""
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"{written[:20]} is out of range")
    return number


def _without_surrogates(body: Any) -> Any:  # noqa: ANN401
    if isinstance(body, str):
        return _SURROGATE.sub("\ufffd", body)
    if isinstance(body, list):
        return [_without_surrogates(item) for item in body]
    if isinstance(body, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in body.items()}
    return body


def _refusal(error: msgspec.ValidationError) -> BadRecord:
    """The dead letter's reason and detail; the field's path is all that the detail holds of the record."""
    text = str(error)
    if "missing required field" in text:
        return BadRecord("missing_field", text)
    if text.startswith((*_NAMES_THE_VALUE, "Expected `str` of length", "Expected `array` of length")):
        return BadRecord("bad_value", without_values(error))
    return BadRecord("wrong_type", without_values(error))


def without_values(error: msgspec.DecodeError) -> str:
    """What msgspec found wrong and where. It names fields and types, but also the value that no enumeration holds,
    which may be personal data.
    """
    text = _WHERE.sub(r" - at `\g<path>`", str(error))
    if not text.startswith(_NAMES_THE_VALUE):
        return text
    where = text.rpartition(" - at ")
    return f"not one of the allowed values{where[1]}{where[2] if where[1] else ''}"


def key_notes(key: bytes | None, expected: str) -> tuple[str, ...]:
    """What is odd about a record's key."""
    if not key:
        return ("key_missing",)
    if key != expected.encode("utf-8", "replace"):
        return ("key_mismatch",)
    return ()
