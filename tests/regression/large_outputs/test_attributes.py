"""A listing of 4 MB whose attributes are `1e15` made a prediction of 9 MB, which no topic took: the worker ended.

And the next one, at the same offset. So did a record of `rescore` with more turns than a window has.
"""

from __future__ import annotations

import base64
import json
import string
from itertools import islice, product

import orjson
import pytest

from streams.events import BadRecord, Listing, decode_listing
from streams.rescoring import decode
from streams.screening import MAX_SHOWN_ATTRIBUTES, MAX_SHOWN_WORD, _shown_listing
from tests.regression.poisoned_rescore.test_foreign_records import OURS

#: Kafka's default limit of a record.
LIMIT_BYTES = 1_000_000


def shown(listing: Listing) -> bytes:
    return orjson.dumps(_shown_listing(listing, listing.title, listing.description))


def test_numbers_that_grow_when_written() -> None:
    names = islice(product(string.ascii_letters, repeat=4), 300_000)
    attributes = ",".join(f'"{"".join(name)}":1e15' for name in names)
    value = f'{{"listing_id":"l","seller_id":"s","title":"t","attributes":{{{attributes}}}}}'.encode()
    listing = decode_listing(value, key=b"l", timestamp_us=0).event
    assert len(listing.attributes) == 300_000
    assert len(shown(listing)) < 10_000


def test_the_longest_words_there_are() -> None:
    word = "あ" * 100_000
    listing = Listing(
        listing_id="l", seller_id="s", title=word, description=word, currency=word, category=word, brand=word,
        condition=word, attributes={f"{'い' * (MAX_SHOWN_WORD - 9)}{at:09}": word for at in range(300)},
    )  # fmt: skip
    found = shown(listing)
    assert len(found) < LIMIT_BYTES
    body = json.loads(found)
    assert len(body["attributes"]) == MAX_SHOWN_ATTRIBUTES
    assert body["brand"] == "あ" * MAX_SHOWN_WORD + "…"


def test_what_honest_listings_say_is_shown_whole() -> None:
    attributes: dict[str, str | float | bool] = {"size": "M", "weight": 1.5, "new": True}
    listing = Listing(listing_id="l", seller_id="s", title="t", brand="b", attributes=attributes)
    assert json.loads(shown(listing))["attributes"] == attributes


def test_turns_beyond_a_window_are_no_record_of_ours() -> None:
    turn = OURS["turns"][0]
    with pytest.raises(BadRecord, match="6 turns"):
        decode(json.dumps({**OURS, "turns": [turn] * 6}).encode())
    assert len(decode(json.dumps({**OURS, "turns": [turn] * 5}).encode()).turns) == 5


def test_a_refusal_does_not_quote_the_record() -> None:
    told = {**OURS, "kind": "090-1234-5678", "value": base64.b64encode(b"x").decode()}
    with pytest.raises(BadRecord) as refusal:
        decode(json.dumps(told).encode())
    assert "090" not in refusal.value.detail
    assert "kind" in refusal.value.detail
