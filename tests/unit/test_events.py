"""Decoding: what is refused, what is scored with a note, and that nothing else than BadRecord ever comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import (
    BadRecord,
    decode_decision,
    decode_listing,
    decode_message,
    event_time_us,
    rfc3339,
)

NOW_US = 1_795_000_000_000_000  # 2026-11-18
MESSAGE: dict[str, Any] = {
    "message_id": "m1",
    "transaction_id": "t1",
    "writer": "buyer",
    "text": "こんにちは",
}
LISTING: dict[str, Any] = {"listing_id": "l1", "seller_id": "s1", "title": "鞄"}


def decode(value: bytes, key: bytes | None = b"t1", headers: tuple[tuple[str, bytes], ...] = ()) -> Any:
    return decode_message(value, key=key, timestamp_us=NOW_US, headers=headers)


def refused(value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        decode_message(value, key=b"t1", timestamp_us=NOW_US, headers=headers)
    return caught.value


def body(**changes: Any) -> bytes:
    return json.dumps({k: v for k, v in {**MESSAGE, **changes}.items() if v is not ...}).encode()


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (None, "empty", "no value"),
        (b"", "empty", "no value"),
        (b"\xff\xfe{}", "not_utf8", "byte 0"),
        (body(text="x").replace(b"x", b"\x83\x4c"), "not_utf8", "is not valid UTF-8"),
        (b"not json", "not_json", "malformed"),
        (b"NaN", "not_json", "invalid character"),
        (b'{"message_id": "m1"', "not_json", "truncated"),
        (body(sender_id="\ud800", status=float("nan")), "not_json", "malformed"),
        (b"[1, 2]", "wrong_type", "JSON list"),
        (b"7", "wrong_type", "JSON int"),
        (body(text=...), "missing_field", "`text`"),
        (body(message_id=...), "missing_field", "`message_id`"),
        (body(text=7), "wrong_type", "got `int` - at `text`"),
        (body(message_id=None), "missing_field", "`message_id`"),
        (body(writer="robot"), "bad_value", "`writer`"),
        (body(message_id=""), "bad_value", "length >= 1"),
        (body(message_id="m" * 257), "bad_value", "length <= 256"),
        (body(text="x" * 100_001), "bad_value", "length <= 100000"),
        (b"[" * 100_000, "not_json", "nested too deeply"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_stable_reason(
    value: bytes | None, reason: str, detail: str
) -> None:
    refusal = refused(value)
    assert refusal.reason == reason
    assert detail in refusal.detail


def test_a_refusal_never_quotes_what_was_written() -> None:
    assert "robot" not in refused(body(writer="robot 090-1234-5678")).detail
    assert "090" not in refused(body(writer="robot 090-1234-5678")).detail


def test_an_unknown_version_is_refused_and_the_known_one_is_not() -> None:
    refusal = refused(body(), headers=(("sekisho.format", b"2"),))
    assert refusal.reason == "unknown_version"
    assert "'2'" in refusal.detail
    assert decode(body(), headers=(("sekisho.format", b"1"), ("other", b"x"))).event.text == "こんにちは"


def test_a_lone_surrogate_is_scored_with_a_note() -> None:
    decoded = decode(b'{"message_id":"m1","transaction_id":"t1","writer":"buyer","text":"\\ud83d LINE"}')
    assert decoded.event.text == "\ufffd LINE"
    assert decoded.notes == ("lone_surrogate",)


@pytest.mark.parametrize(
    ("key", "notes"),
    [(None, ("key_missing",)), (b"", ("key_missing",)), (b"t2", ("key_mismatch",)), (b"t1", ())],
)
def test_a_key_that_is_not_the_transaction_leaves_a_note(key: bytes | None, notes: tuple[str, ...]) -> None:
    assert decode(body(), key=key).notes == notes


@pytest.mark.parametrize(
    ("stated", "expected", "notes"),
    [
        (None, NOW_US, ()),
        ("2026-11-17T10:00:00Z", 1_794_909_600_000_000, ()),
        ("2026-11-17T19:00:00.5+09:00", 1_794_909_600_500_000, ()),
        ("2026-11-17T10:00:00", 1_794_909_600_000_000, ()),
        ("1970-01-01T00:00:00Z", NOW_US, ("time_implausible",)),
        ("2199-01-01T00:00:00Z", NOW_US, ("time_implausible",)),
        ("0001-01-01T00:00:00+14:00", NOW_US, ("time_implausible",)),
        ("yesterday", NOW_US, ("time_unreadable",)),
        ("1794909600", NOW_US, ("time_unreadable",)),
    ],
)
def test_an_implausible_time_gives_way_to_the_brokers(
    stated: str | None, expected: int, notes: tuple[str, ...]
) -> None:
    assert event_time_us(stated, NOW_US) == (expected, notes)


def test_unknown_fields_are_ignored_and_named() -> None:
    decoded = decode(body(colour="red", mood=1))
    assert decoded.unknown_fields == ("colour", "mood")
    assert decode(body()).unknown_fields == ()


def test_a_full_listing_and_a_bare_one() -> None:
    full = {
        **LISTING,
        "description": "d",
        "price": 1200,
        "currency": "JPY",
        "category": "bags",
        "brand": "b",
        "condition": "new",
        "images": [{"url": "https://i.example/a.jpg"}, {"data": "AAAA"}],
        "attributes": {"size": "M", "weight": 1.5, "gift": True},
        "updated_at": "2026-11-17T10:00:00Z",
    }
    listing = decode_listing(json.dumps(full).encode(), key=b"l1", timestamp_us=NOW_US).event
    assert listing.price == 1200.0
    assert [image.url or image.data for image in listing.images] == ["https://i.example/a.jpg", "AAAA"]
    assert listing.attributes == {"size": "M", "weight": 1.5, "gift": True}
    assert decode_listing(json.dumps(LISTING).encode(), key=b"l1", timestamp_us=NOW_US).event.images == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "cheap"},
        {"images": [{"url": 1}]},
        {"images": "x"},
        {"attributes": {"a": [1]}},
    ],
)
def test_a_listing_with_a_field_of_the_wrong_type_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRecord, match="wrong_type"):
        decode_listing(json.dumps({**LISTING, **wrong}).encode(), key=b"l1", timestamp_us=NOW_US)


def test_null_is_absent() -> None:
    nulls = {
        **LISTING,
        "description": None,
        "images": None,
        "price": None,
        "attributes": {"size": None, "gift": True},
    }
    listing = decode_listing(json.dumps(nulls).encode(), key=b"l1", timestamp_us=NOW_US).event
    assert (listing.description, listing.images, listing.price) == ("", (), None)
    assert listing.attributes == {"gift": True}


def test_a_decision() -> None:
    value = {
        "alert_id": "a",
        "verdict": "violation",
        "moderator_id": "mo",
        "decided_at": "2026-11-17T10:00:00Z",
    }
    decoded = decode_decision(json.dumps(value).encode(), key=b"a", timestamp_us=NOW_US)
    assert decoded.event.verdict == "violation"
    assert decoded.at_us == 1_794_909_600_000_000
    with pytest.raises(BadRecord, match="bad_value"):
        decode_decision(json.dumps({**value, "verdict": "maybe"}).encode(), key=b"a", timestamp_us=NOW_US)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(1_794_909_600_123_456) == "2026-11-17T10:00:00.123Z"


@given(value=st.binary(max_size=200), key=st.none() | st.binary(max_size=8))
def test_random_bytes_are_refused_and_nothing_else_happens(value: bytes, key: bytes | None) -> None:
    with pytest.raises(BadRecord):
        decode_message(value, key=key, timestamp_us=NOW_US)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    changes=st.dictionaries(
        st.sampled_from([*MESSAGE, "status", "sent_at", "sender_id", "event_id", "other"]), json_values
    )
)
def test_mutated_messages_decode_or_are_refused(changes: dict[str, Any]) -> None:
    value = json.dumps({**MESSAGE, **changes}).encode("utf-8", "surrogatepass")
    outcome = _outcome(value)
    if isinstance(outcome, BadRecord):
        assert outcome.reason in {"not_json", "not_utf8", "wrong_type", "bad_value", "missing_field"}
    else:
        assert outcome.event.text.encode("utf-8")
        assert outcome.event.message_id


def _outcome(value: bytes) -> Any:
    try:
        return decode_message(value, key=b"t1", timestamp_us=NOW_US)
    except BadRecord as refusal:
        return refusal
