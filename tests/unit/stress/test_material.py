from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.events import decode_listing, decode_message
from streams.replay_files import Outgoing
from streams.stress.from_records import mixed, read_drafts
from streams.stress.material import Draft, record

RUN = "stress-20261121T180000Z-3f9a1c"
DUE_US = 1_795_284_000_000_000


def test_a_message_is_the_runs_own_in_everything_but_its_words() -> None:
    body = {
        "message_id": "m9", "transaction_id": "real", "writer": "seller", "text": "こんにちは",
        "status": "shipped", "sent_at": "2020-01-01T00:00:00Z", "sender_id": "u5", "event_id": "e1",
    }  # fmt: skip
    sent = record(Draft("messages", body, "7"), RUN, 12, DUE_US)
    decoded = decode_message(sent.value, key=sent.key, timestamp_us=DUE_US, headers=sent.headers)
    assert decoded.notes == ()
    assert decoded.at_us == DUE_US
    assert (decoded.event.text, decoded.event.writer, decoded.event.status) == (
        "こんにちは",
        "seller",
        "shipped",
    )
    assert decoded.event.message_id == decoded.event.event_id == f"{RUN}-12"
    assert decoded.event.transaction_id == f"{RUN}-t7"
    assert decoded.event.sender_id == f"{RUN}-u"
    assert sent.headers == (("sekisho.stress", f"{RUN}-12".encode()),)
    assert body["message_id"] == "m9", "the draft is used again"


def test_a_listing_is_too() -> None:
    body = {"listing_id": "l1", "seller_id": "real", "title": "鞄", "price": 100}
    sent = record(Draft("listings", body), RUN, 3, DUE_US)
    decoded = decode_listing(sent.value, key=sent.key, timestamp_us=DUE_US, headers=sent.headers)
    assert decoded.notes == ()
    assert decoded.at_us == DUE_US
    assert (decoded.event.listing_id, decoded.event.seller_id, decoded.event.price) == (
        f"{RUN}-3",
        f"{RUN}-s",
        100,
    )


def test_messages_of_one_transaction_stay_together() -> None:
    records = [Outgoing(None, b'{"transaction_id": "%s", "text": "x"}' % name) for name in (b"a", b"b", b"a")]
    assert [draft.conversation for draft in read_drafts("messages", records)] == ["0", "1", "0"]


@given(st.integers(0, 40), st.integers(0, 40))
def test_both_kinds_are_sent_each_in_its_order_and_evenly_mixed(messages: int, listings: int) -> None:
    total = messages + listings
    if not total:
        return
    source = mixed(
        [Draft("messages", {"n": n}, "c") for n in range(messages)],
        [Draft("listings", {"n": n}) for n in range(listings)],
    )
    sent = [next(source) for _ in range(2 * total)]
    for lap in (sent[:total], sent[total:]):
        for topic, count in (("messages", messages), ("listings", listings)):
            assert [draft.body["n"] for draft in lap if draft.topic == topic] == list(range(count))
        for position in range(total):
            seen = sum(draft.topic == "listings" for draft in lap[: position + 1])
            assert abs(seen - (position + 1) * listings / total) < 1
    conversations = {draft.conversation for draft in sent if draft.topic == "messages"}
    assert conversations == ({"1.c", "2.c"} if messages else set())
