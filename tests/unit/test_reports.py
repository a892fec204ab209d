"""Reports of customers: what can be used, what cannot and why, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import BadRecord, Decoded, decode_listing, decode_message
from streams.reports import (
    MAX_EARLIER,
    REVISIONS,
    Report,
    decode_report,
    reported_listing,
    reported_message,
    revision_before,
)

BROKER_US = 1_795_000_000_000_000
MESSAGE = {"message_id": "m9", "transaction_id": "t7", "writer": "seller", "text": "LINEで"}
LISTING = {"listing_id": "l1", "seller_id": "s1", "title": "鞄", "price": 4800}
FRAME = {"report_id": "r1", "reported_at": "2026-11-18T10:00:00Z", "domain": "counterfeit"}
REPORTED_US = 1_794_996_000_000_000


def decoded(body: dict[str, Any], key: bytes | None = b"t7") -> Decoded[Report]:
    return decode_report(json.dumps({**FRAME, **body}).encode(), key=key, timestamp_us=BROKER_US)


def test_a_reported_message_is_the_message_that_was_sent() -> None:
    sent = {**MESSAGE, "sent_at": "2026-11-17T09:00:00Z"}
    live = decode_message(json.dumps(sent).encode(), key=b"t7", timestamp_us=BROKER_US)
    report = decoded({"message": sent})

    again = reported_message(report, BROKER_US)

    assert (again.event, again.at_us, again.notes) == (live.event, live.at_us, ())
    assert (report.event.key, report.at_us) == ("t7", REPORTED_US)


def test_a_reported_listing_is_the_listing_that_was_put_up() -> None:
    live = decode_listing(json.dumps(LISTING).encode(), key=b"l1", timestamp_us=BROKER_US)
    report = decoded({"listing": LISTING}, key=b"l1")

    again = reported_listing(report, BROKER_US)

    assert (again.event, again.notes) == (live.event, ())
    assert again.at_us == REPORTED_US, "without a time of its own it counts from the report"


def test_what_is_odd_about_the_report_and_the_event_is_noted_once() -> None:
    report = decoded(
        {"reported_at": "yesterday", "message": {**MESSAGE, "sent_at": "1970-01-01T00:00:00Z"}}, b"x"
    )

    assert report.notes == ("key_mismatch", "time_unreadable")
    assert reported_message(report, BROKER_US).notes == (
        "key_mismatch",
        "time_unreadable",
        "time_implausible",
    )


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ({"type": "message", "message_id": "m9", "transaction_id": "t7"}, "t7"),
        ({"type": "listing", "listing_id": "l1", "seller_id": "s1"}, "l1"),
    ],
)
def test_ids_alone_are_enough(subject: dict[str, str], key: str) -> None:
    report = decoded({"subject": subject}, key.encode())

    assert (report.event.key, report.notes) == (key, ())


def test_null_is_not_given_also_within_what_is_reported() -> None:
    report = decoded(
        {
            "reporter_id": None,
            "listing": None,
            "message": {**MESSAGE, "status": None},
            "conversation": [{**MESSAGE, "message_id": "m8", "sent_at": None}],
        }
    ).event

    assert report.listing is None
    assert report.message is not None
    assert report.message.status is None
    assert [earlier.message_id for earlier in report.conversation] == ["m8"]
    assert decoded({"listing": {**LISTING, "attributes": {"size": None}}}).event.listing is not None


def test_each_earlier_message_counts_once_and_the_reported_one_is_not_earlier() -> None:
    texts = [("a", "1"), ("b", "2"), ("a", "3"), ("m9", "4")]
    earlier = [{**MESSAGE, "message_id": name, "text": text} for name, text in texts]

    report = decoded({"message": MESSAGE, "conversation": earlier}).event

    assert [(one.message_id, one.text) for one in report.earlier] == [("a", "3"), ("b", "2")]


@pytest.mark.parametrize(
    ("body", "reason", "named"),
    [
        ({}, "missing_field", "`subject`"),
        ({"message": MESSAGE, "listing": LISTING}, "bad_value", "`listing` and `message`"),
        ({"listing": LISTING, "conversation": [MESSAGE]}, "missing_field", "`conversation`"),
        (
            {"message": MESSAGE, "conversation": [{**MESSAGE, "message_id": "x", "transaction_id": "t8"}]},
            "bad_value",
            "another transaction",
        ),
        ({"message": MESSAGE, "conversation": [MESSAGE] * (MAX_EARLIER + 1)}, "bad_value", "conversation"),
        ({"message": {**MESSAGE, "writer": "robot"}}, "bad_value", "message.writer"),
        ({"message": {"message_id": "m"}}, "missing_field", "$.message"),
        ({"message": MESSAGE, "domain": ""}, "bad_value", "domain"),
        ({"message": MESSAGE, "domain": None}, "missing_field", "domain"),
        ({"message": MESSAGE, "report_id": 7}, "wrong_type", "report_id"),
        ({"message": "m9"}, "wrong_type", "message"),
        ({"subject": {"type": "message", "message_id": "m"}}, "missing_field", "subject"),
        ({"subject": {"type": "geheimnis"}}, "bad_value", "subject.type"),
    ],
)
def test_what_cannot_be_used(body: dict[str, Any], reason: str, named: str) -> None:
    with pytest.raises(BadRecord) as refused:
        decoded(body)

    assert refused.value.reason == reason
    assert named in refused.value.detail
    assert "geheimnis" not in refused.value.detail


def test_fields_outside_the_contract_are_named() -> None:
    assert decoded({"message": MESSAGE, "mood": 1}).unknown_fields == ("mood",)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, REVISIONS), st.integers(1, REVISIONS))
def test_a_later_report_has_the_higher_revision(one: int, more: int, early: int, late: int) -> None:
    """Whatever the earlier has reached; and above what a live event reaches, in what every JSON reader holds."""
    later = revision_before(one + more + 1) + late
    assert revision_before(one) + early < later
    assert revision_before(one) + early > REVISIONS
    assert later < 1 << 53
