"""Traffic as producers would send it: within the contract, in order, interleaved, the same by seed."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from marketplace import Pace, TrafficEvent, listing_examples, message_examples, traffic, windows
from marketplace.__main__ import main
from marketplace.conversations import TRAINING
from marketplace.listings import LISTING_DOMAINS, ListingMix
from marketplace.scenarios import MESSAGE_DOMAINS
from streams.events import decode_listing, decode_message

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> list[TrafficEvent]:
    return list(islice(traffic(3, start=START), 3000))


def test_every_event_is_a_clean_record_of_the_contract(events: list[TrafficEvent]) -> None:
    later_us = int((START + timedelta(days=30)).timestamp() * 1e6)
    for event in events:
        decode = decode_listing if event.topic == "listings" else decode_message
        record = json.dumps(event.value, ensure_ascii=False).encode()
        decoded = decode(record, key=event.key.encode(), timestamp_us=later_us)
        assert decoded.notes == ()
        assert decoded.unknown_fields == ()
        assert len(record) < 16_000


def test_labels_name_the_domains_of_the_topic(events: list[TrafficEvent]) -> None:
    for event in events:
        domains = LISTING_DOMAINS if event.topic == "listings" else MESSAGE_DOMAINS
        assert set(event.labels) == set(domains)
    for domain in (*LISTING_DOMAINS, *MESSAGE_DOMAINS):
        assert any(event.labels.get(domain) for event in events), domain


def test_times_rise_and_conversations_interleave(events: list[TrafficEvent]) -> None:
    times = [event.value.get("sent_at") or event.value["updated_at"] for event in events]
    assert times == sorted(times)
    assert times[0] >= START.isoformat(timespec="milliseconds")
    messages = [event for event in events if event.topic == "messages"]
    assert len({event.key for event in messages[:200]}) > 50
    numbers = defaultdict(list)
    for event in messages:
        numbers[event.key].append(event.value["message_id"])
    assert max(map(len, numbers.values())) >= 5
    for ids in numbers.values():
        assert ids == sorted(set(ids))


def test_the_same_seed_gives_the_same_events() -> None:
    again = list(islice(traffic(3, start=START), 300))
    assert again == list(islice(traffic(3, start=START), 300))
    assert again != list(islice(traffic(4, start=START), 300))


def test_pace_sets_rate_and_shares() -> None:
    events = list(islice(traffic(1, start=START, pace=Pace(events_per_s=10, listing_share=0.5)), 4000))
    listings = sum(event.topic == "listings" for event in events)
    assert listings / len(events) == pytest.approx(0.5, abs=0.05)
    last = datetime.fromisoformat(events[-1].value.get("sent_at") or events[-1].value["updated_at"])
    assert (last - START).total_seconds() == pytest.approx(400, rel=0.15)


def test_share_of_listings_with_a_picture() -> None:
    found = list(listing_examples(2, 600, start=START, mix=ListingMix(image_share=0.7)))
    share = sum("images" in example["listing"] for example in found) / len(found)
    assert share == pytest.approx(0.7, abs=0.08)


def test_windows_hold_the_last_five_with_the_label_of_the_last() -> None:
    seen = list(islice(traffic(3, start=START, messages=TRAINING), 1500))
    made = list(windows(seen))
    messages = [event for event in seen if event.topic == "messages"]
    assert len(made) == len(messages)
    for window, event in zip(made, messages, strict=True):
        assert 1 <= len(window["messages"]) <= 5
        assert window["messages"][-1]["message_id"] == event.value["message_id"]
        assert window["labels"] == event.labels
        assert window["status"] == event.value["status"]
    assert any(len(window["messages"]) == 5 for window in made)


@pytest.mark.parametrize("pace", [{"events_per_s": 0.0}, {"active_transactions": 0}, {"listing_share": 1.0}])
def test_impossible_paces_are_refused(pace: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(pace))):
        Pace(**pace)


def test_a_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        traffic(1, start=datetime(2026, 1, 1))


def test_command_writes_files_that_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        arguments = ["--out", str(tmp_path / name), "--messages", "40", "--listings", "10", "--events", "50"]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {"messages.jsonl", "listings.jsonl", "events-messages.jsonl", "events-listings.jsonl"}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    lines = (tmp_path / "a" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 40
    assert json.loads(lines[0]) == next(message_examples(1, 1, start=datetime(2026, 1, 5, 9, tzinfo=UTC)))
