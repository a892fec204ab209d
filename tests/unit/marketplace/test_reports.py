"""Reports of the generated marketplace: within the contract, of events that came before, the same by seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest

from marketplace import TrafficEvent, traffic, with_reports
from streams.alerts import listing_subject, message_subject
from streams.events import decode_listing, decode_message
from streams.reports import MAX_EARLIER, decode_report

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NOW_US = 1_795_000_000_000_000


def some(seed: int = 3, count: int = 1500) -> Iterator[TrafficEvent]:
    return islice(with_reports(traffic(seed, start=START), seed), count)


def encoded(event: TrafficEvent) -> bytes:
    return json.dumps(event.value, ensure_ascii=False).encode()


def test_each_is_a_clean_report_of_what_came_before_it() -> None:
    subjects = set()
    kinds = set()
    for event in some():
        if event.topic == "messages":
            sent = decode_message(encoded(event), key=event.key.encode(), timestamp_us=NOW_US)
            subjects.add(message_subject(sent.event))
        elif event.topic == "listings":
            put_up = decode_listing(encoded(event), key=event.key.encode(), timestamp_us=NOW_US)
            subjects.add(listing_subject(put_up.event))
        else:
            decoded = decode_report(encoded(event), key=event.key.encode(), timestamp_us=NOW_US)
            assert (decoded.notes, decoded.unknown_fields) == ((), ())
            report = decoded.event
            about = report.message and message_subject(report.message)
            about = about or (report.listing and listing_subject(report.listing))
            assert about in subjects
            assert set(event.labels) == {report.domain}
            kinds.add((about.kind, bool(report.conversation)) if about else None)
            assert len(report.conversation) <= MAX_EARLIER
    assert kinds >= {("message", True), ("listing", False)}


def test_the_events_between_them_are_those_of_the_traffic() -> None:
    plain = [event for event in some() if event.topic != "reports"]
    assert plain == list(islice(traffic(3, start=START), len(plain)))
    assert list(some()) == list(some())


def test_what_violates_is_reported_more_often_and_not_always() -> None:
    events = list(islice(with_reports(traffic(3, start=START), 3, violations=0.5, others=0.05), 1500))
    reported = [label for event in events if event.topic == "reports" for label in event.labels.values()]
    guilty = sum(any(event.labels.values()) for event in events if event.topic != "reports")
    assert 0 < reported.count(1) < guilty
    assert 0 < reported.count(0) < len(events) - len(reported) - guilty
    shares = reported.count(1) / guilty, reported.count(0) / (len(events) - len(reported) - guilty)
    assert shares[0] > shares[1]


def test_a_share_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        with_reports(traffic(1, start=START), 1, violations=1.5)
