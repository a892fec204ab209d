"""What a campaign sends: the same for the same seed, usable, with its repetitions, edits, latecomers and poison."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import islice

import pytest

from streams.events import BadRecord, decode_listing, decode_message
from tests.faults.editions import MARKERS
from tests.faults.traffic import events, poison

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
START_US = int(START.timestamp() * 1e6)


def test_events_are_usable_and_hold_everything_that_the_checker_looks_for():
    sent = list(islice(events(7, start=START, rate=50.0), 4000))
    texts = Counter[str]()
    wordings: dict[str, Counter[str]] = {}
    last: dict[str, str] = {}
    late = 0
    for record in sent:
        if record.topic == "listings":
            listing = decode_listing(record.value, key=record.key, timestamp_us=START_US).event
            texts.update(m.word for m in MARKERS if m.word in listing.title and m.kind == "listing")
            continue
        message = decode_message(record.value, key=record.key, timestamp_us=START_US).event
        texts.update(m.word for m in MARKERS if m.word in message.text and m.kind == "message")
        wordings.setdefault(message.message_id, Counter())[message.text] += 1
        assert message.sent_at is not None
        late += message.sent_at < last.get(message.transaction_id, "")
        last[message.transaction_id] = max(message.sent_at, last.get(message.transaction_id, ""))
    assert set(texts) == {marker.word for marker in MARKERS}
    assert any(max(seen.values()) > 1 for seen in wordings.values()), "no repetition"
    assert any(len(seen) > 1 for seen in wordings.values()), "no edit"
    assert late > 5
    assert [r.value for r in islice(events(7, start=START, rate=50.0), 100)] == [r.value for r in sent[:100]]


def test_poison_is_refused_for_the_reason_it_names():
    burst = list(poison(3, 300))
    assert burst == list(poison(3, 300))
    for record in burst:
        decode = decode_message if record.topic == "messages" else decode_listing
        with pytest.raises(BadRecord) as refusal:
            decode(record.value, key=record.key, timestamp_us=START_US)
        assert refusal.value.reason == record.poison, record.value
    assert {json.dumps(record.poison) for record in burst} >= {
        '"empty"',
        '"not_json"',
        '"not_utf8"',
        '"bad_value"',
    }
