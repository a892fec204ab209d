"""What customers report: a listing or a message with what it said, or only its ids, decoded and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from streams.events import (
    BadRecord,
    Decoded,
    Identifier,
    Listing,
    Message,
    Text,
    decode_record,
    event_time_us,
    key_notes,
    without_nulls,
)
from streams.windows import WINDOW

#: Earlier messages of the conversation that a report may bring along: with the reported one they fill a window.
MAX_EARLIER = WINDOW - 1
#: Revisions that the alert of one report may reach. A revision comes with new evidence, so there are no more of them
#: than rules and models speak for one domain.
REVISIONS = 1_000


class ReportedMessageIds(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A message by its ids alone."""

    message_id: Identifier
    transaction_id: Identifier


class ReportedListingIds(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="listing"):
    """A listing by its ids alone."""

    listing_id: Identifier
    seller_id: Identifier


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A customer says that a listing or a message violates a domain. Exactly one of the three says which."""

    report_id: Identifier
    reported_at: Identifier
    domain: Identifier
    reporter_id: str | None = None
    reason: Text | None = None
    listing: Listing | None = None
    message: Message | None = None
    conversation: Annotated[tuple[Message, ...], msgspec.Meta(max_length=MAX_EARLIER)] = ()
    subject: ReportedMessageIds | ReportedListingIds | None = None

    @property
    def key(self) -> str:
        """The key of the record: that of the listing's or the message's own record."""
        for said in (self.message, self.listing, self.subject):
            if isinstance(said, Listing | ReportedListingIds):
                return said.listing_id
            if said is not None:
                return said.transaction_id
        raise ValueError("a report that `decode_report` did not make")

    @property
    def earlier(self) -> tuple[Message, ...]:
        """The conversation before the message: the last of each id, in the given order, without the message itself."""
        assert self.message is not None
        last = {message.message_id: message for message in self.conversation}
        last.pop(self.message.message_id, None)
        return tuple(last.values())


def decode_report(
    value: bytes | None, *, key: bytes | None, timestamp_us: int, headers: Sequence[tuple[str, bytes]] = ()
) -> Decoded[Report]:
    """Decode a `reports` record; `at_us` is when it was reported. Raises `BadRecord`."""
    report, notes, unknown = decode_record(value, Report, headers, cleaned=_without_nulls)
    _check(report)
    at_us, time_notes = event_time_us(report.reported_at, timestamp_us)
    return Decoded(report, at_us, notes + key_notes(key, report.key) + time_notes, unknown)


def reported_message(report: Decoded[Report], timestamp_us: int) -> Decoded[Message]:
    """The message as an event of its own. Without a time of its own it counts from the report."""
    message = report.event.message
    assert message is not None
    return _of(report, message, message.sent_at, timestamp_us)


def reported_listing(report: Decoded[Report], timestamp_us: int) -> Decoded[Listing]:
    """The listing as an event of its own. Without a time of its own it counts from the report."""
    listing = report.event.listing
    assert listing is not None
    return _of(report, listing, listing.updated_at, timestamp_us)


def revision_before(offset: int) -> int:
    """The revision that the alert of the report at this offset of its partition counts on from.

    Reports on one thing have one key and so one partition: a later report has the higher revision, whatever worker
    takes it and however often. The first stands at 1,000, above what an event of a live topic reaches.
    """
    return REVISIONS * (offset + 1)


def _of(
    report: Decoded[Any],
    event: Any,  # noqa: ANN401 - of either kind
    stated: str | None,
    timestamp_us: int,
) -> Decoded[Any]:
    at_us, notes = (report.at_us, ()) if stated is None else event_time_us(stated, timestamp_us)
    return Decoded(event, at_us, tuple(dict.fromkeys(report.notes + notes)))


def _check(report: Report) -> None:
    given = [name for name in ("listing", "message", "subject") if getattr(report, name) is not None]
    if not given:
        raise BadRecord(
            "missing_field", "one of `listing`, `message` and `subject` must say what is reported"
        )
    if len(given) > 1:
        names = " and ".join(f"`{name}`" for name in given)
        raise BadRecord("bad_value", f"{names} are given; one of them must say what is reported")
    if report.conversation and report.message is None:
        raise BadRecord("missing_field", "`conversation` is given without its `message`")
    if any(earlier.transaction_id != report.key for earlier in report.conversation):
        raise BadRecord("bad_value", "`conversation` holds messages of another transaction")


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """As for every event, and within what is reported: the marketplace passes on its own records."""
    body = without_nulls(body)
    inner: dict[str, Any] = {
        name: without_nulls(body[name])
        for name in ("listing", "message", "subject")
        if isinstance(body.get(name), dict)
    }
    if isinstance(body.get("conversation"), list):
        inner["conversation"] = [
            without_nulls(each) if isinstance(each, dict) else each for each in body["conversation"]
        ]
    return {**body, **inner}
