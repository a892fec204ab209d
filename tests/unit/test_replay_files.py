from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import decode_listing, decode_message
from streams.replay_files import Outgoing, Refusal, Topic, records, records_as_they_are

PICTURE = b"\xff\xd8picture"


def _read_image(relative: str) -> bytes:
    if relative != "images/a.jpg":
        raise FileNotFoundError(2, "No such file or directory")
    return PICTURE


def _records(topic: Topic, *lines: object, lap: int = 1) -> list[Outgoing | Refusal]:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(records(encoded, path="f.jsonl", topic=topic, read_image=_read_image, lap=lap))


def _events(found: list[Outgoing | Refusal]) -> list[dict[str, object]]:
    return [json.loads(record.value or b"") for record in found if isinstance(record, Outgoing)]


def test_an_event_of_the_contract_is_sent_unchanged() -> None:
    line = b'{ "transaction_id": "t1",  "message_id": "m", "extra": 1.0 }'

    assert _records("messages", b"", line + b"\r\n", b"  ") == [Outgoing(b"t1", line)]


def test_a_conversation_becomes_messages_in_order_without_its_labels() -> None:
    talk = {
        "transaction_id": "t1",
        "status": "shipped",
        "messages": [
            {"message_id": "a", "writer": "seller", "text": "こんにちは", "sent_at": "2026-01-01T00:00:00Z"},
            {"writer": "buyer", "text": "はい", "status": "completed", "sent_at": None},
        ],
        "labels": {"harassment": 1},
    }

    found = _records("messages", talk)

    assert _events(found) == [
        {
            "message_id": "a",
            "transaction_id": "t1",
            "status": "shipped",
            "writer": "seller",
            "text": "こんにちは",
            "sent_at": "2026-01-01T00:00:00Z",
        },
        {
            "message_id": "t1-1",
            "transaction_id": "t1",
            "status": "completed",
            "writer": "buyer",
            "text": "はい",
        },
    ]
    assert {record.key for record in found if isinstance(record, Outgoing)} == {b"t1"}


def test_a_listing_example_takes_its_image_and_leaves_unknown_values_out() -> None:
    example = {
        "listing": {
            "listing_id": "l1",
            "seller_id": "s",
            "title": "t",
            "price": None,
            "image": "images/a.jpg",
            "images": [{"url": "https://shop.example/1.jpg"}],
            "attributes": {"year": 1983, "metascore": None},
        },
        "labels": {"counterfeit": 0},
    }

    (event,) = _events(_records("listings", example))

    assert event == {
        "listing_id": "l1",
        "seller_id": "s",
        "title": "t",
        "images": [{"url": "https://shop.example/1.jpg"}, {"data": base64.b64encode(PICTURE).decode()}],
        "attributes": {"year": 1983},
    }


def test_what_examples_become_is_what_the_engine_reads() -> None:
    talk = {"transaction_id": "t", "messages": [{"writer": "buyer", "text": "x"}]}
    listing = {"listing": {"listing_id": "l", "seller_id": "s", "title": "t", "attributes": {"a": None}}}

    (message,) = _records("messages", talk)
    (item,) = _records("listings", listing)

    assert isinstance(message, Outgoing)
    assert isinstance(item, Outgoing)
    assert decode_message(message.value, key=message.key, timestamp_us=1).event.message_id == "t-0"
    assert decode_listing(item.value, key=item.key, timestamp_us=1).event.attributes == {}


@pytest.mark.parametrize(
    ("topic", "line", "reason"),
    [
        ("messages", b"\xff", "not UTF-8"),
        ("messages", b"{", "not JSON"),
        ("messages", b"[" * 100_000, "not JSON"),
        ("messages", [1], "a JSON list, not an object"),
        ("messages", {"message_id": "m"}, "no `transaction_id`"),
        ("messages", {"transaction_id": 7}, "no `transaction_id`"),
        ("decisions", {"alert_id": ""}, "no `alert_id`"),
        ("reports", {"report_id": "r", "listing": {}}, "no `listing_id` or `transaction_id`"),
        (
            "listings",
            {"report_id": "r", "listing": {"listing_id": "l"}},
            "belongs to the topic reports, not listings",
        ),
        ("reports", {"listing": {"listing_id": "l"}}, "an example listing belongs to the topic listings"),
        ("messages", {"messages": []}, "the conversation has no `transaction_id`"),
        ("messages", {"transaction_id": "t", "messages": ["hi"]}, "messages[0] is not an object"),
        ("listings", {"transaction_id": "t", "messages": []}, "belongs to the topic messages, not listings"),
        ("messages", {"listing": {}}, "belongs to the topic listings, not messages"),
        ("listings", {"listing": {"listing_id": "l", "image": 3}}, "`image` is not a relative path"),
        ("listings", {"listing": {"listing_id": "l", "image": "b.jpg"}}, "image 'b.jpg' cannot be read"),
        ("listings", {"text": "a sentence", "label": 0}, "no `listing_id`"),
    ],
)
def test_an_unusable_line_is_refused_with_its_place(topic: Topic, line: object, reason: str) -> None:
    (refusal,) = _records(topic, line)

    assert isinstance(refusal, Refusal)
    assert str(refusal).startswith("f.jsonl:1: ")
    assert reason in str(refusal)


def test_a_lone_surrogate_survives() -> None:
    (record,) = _records(
        "messages", b'{"transaction_id":"t","messages":[{"writer":"buyer","text":"\\ud800x"}]}'
    )

    assert isinstance(record, Outgoing)
    assert b"\\ud800x" in (record.value or b"")


def test_a_second_lap_is_new_traffic_and_decisions_stay() -> None:
    message = {"message_id": "m", "transaction_id": "t", "text": "x", "event_id": "e"}

    assert _events(_records("messages", message, lap=3)) == [
        {"message_id": "m~3", "transaction_id": "t~3", "text": "x", "event_id": "e~3"}
    ]
    assert _records("messages", message, lap=3)[0].key == b"t~3"  # type: ignore[union-attr]
    assert _events(_records("decisions", {"alert_id": "a"}, lap=2)) == [{"alert_id": "a"}]


@pytest.mark.parametrize(
    ("reported", "key"),
    [
        ({"message": {"message_id": "m", "transaction_id": "t"}}, b"t"),
        ({"listing": {"listing_id": "l", "seller_id": "s"}}, b"l"),
        ({"subject": {"type": "listing", "listing_id": "l", "seller_id": "s"}}, b"l"),
    ],
)
def test_a_report_is_keyed_by_what_it_is_about_and_a_second_lap_is_another_of_the_same(
    reported: dict[str, object], key: bytes
) -> None:
    body = {"report_id": "r", **reported}

    assert _records("reports", body)[0].key == key  # type: ignore[union-attr]
    assert _events(_records("reports", body)) == [body]
    assert _records("reports", body, lap=2)[0].key == key  # type: ignore[union-attr]
    assert _events(_records("reports", body, lap=2)) == [{**body, "report_id": "r~2"}]
    (as_is,) = records_as_they_are([json.dumps(body).encode()], "reports")
    assert as_is.key == key


@given(st.binary(max_size=40))
def test_as_they_are_every_line_is_one_record(line: bytes) -> None:
    (record,) = records_as_they_are([line + b"\n"], "messages")

    assert record.value == line.rstrip(b"\r\n")


def test_as_they_are_still_keys_what_has_an_id() -> None:
    lines = [b'{"listing_id": "l", "broken": true}\n', b'{"listing_id": 5}\n']

    assert [record.key for record in records_as_they_are(lines, "listings")] == [b"l", None]
