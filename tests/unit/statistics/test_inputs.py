from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerts import Screened, Subject
from streams.events import Position
from streams.statistics.inputs import FACTS, counted_of, facts_of, input_facts, script_of


def listing(**fields: Any) -> dict[str, Any]:
    return {"listing": {"title": "ブランドバッグ", "description": "", "price": 4800.0, "images": 1, **fields}}


def message(text: str, *, earlier: int = 0, status: str | None = "shipped") -> dict[str, Any]:
    turns = [{"message_id": str(n), "writer": "buyer", "text": "はい"} for n in range(earlier)]
    return {"status": status, "messages": [*turns, {"message_id": "m", "writer": "seller", "text": text}]}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("LINEで話しませんか", "japanese"),
        ("発送 完了", "han"),
        ("ﾗｲﾝ", "japanese"),
        ("payment done, thanks", "latin"),
        ("ｐａｙ", "latin"),
        ("안녕하세요", "hangul"),
        ("Привет", "cyrillic"),
        ("สวัสดีครับ", "other"),
        ("12,000 !!", "none"),
        ("", "none"),
        ("〈PHONE〉", "none"),
        ("〈PHONE〉まで", "japanese"),
        ("contact me で", "latin"),
    ],
)
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert script_of(text) == script


def test_the_facts_of_a_message_are_those_of_its_last_turn() -> None:
    assert input_facts(message("〈PHONE〉まで電話ください", earlier=2), []) == {
        "length": "9-16",
        "script": "japanese",
        "masked": "yes",
        "turns": "3",
        "writer": "seller",
        "status": "shipped",
    }


@pytest.mark.parametrize(("status", "found"), [(None, "none"), ("teleported", "other"), ("other", "other")])
def test_a_status_that_is_not_of_the_contract(status: str | None, found: str) -> None:
    assert input_facts(message("はい", status=status), [])["status"] == found


@pytest.mark.parametrize(
    ("images", "notes", "found"),
    [
        (0, [], "none"),
        (1, [], "usable"),
        (2, ["image_timeout"], "usable"),
        (2, ["image_timeout", "image_broken"], "failed"),
        (9, ["image_timeout", "image_others_untried"], "failed"),
        (2, ["image_not_encoded:away"], "failed"),
        (1, ["key_missing"], "usable"),
    ],
)
def test_the_picture_of_a_listing(images: int, notes: list[str], found: str) -> None:
    assert input_facts(listing(images=images), notes)["image"] == found


@pytest.mark.parametrize(
    ("price", "found"),
    [
        (None, "none"),
        (0.0, "1 digits"),
        (9.99, "1 digits"),
        (4800.0, "4 digits"),
        (1e300, "8 digits"),
        (float("inf"), "none"),
    ],
)
def test_the_price_of_a_listing(price: float | None, found: str) -> None:
    assert input_facts(listing(price=price), [])["price"] == found


@given(st.text(max_size=3000), st.integers(0, 4), st.none() | st.text())
def test_every_message_falls_into_one_known_bin_of_every_fact(
    text: str, earlier: int, status: str | None
) -> None:
    facts = input_facts(message(text, earlier=earlier, status=status), [])
    assert facts.keys() == FACTS["message"].keys()
    assert all(found in FACTS["message"][fact] for fact, found in facts.items())


@given(
    st.text(max_size=300),
    st.text(max_size=3000),
    st.none() | st.floats(),
    st.integers(0, 50),
    st.lists(st.sampled_from(["image_broken", "image_others_untried", "lone_surrogate"])),
)
def test_every_listing_falls_into_one_known_bin_of_every_fact(
    title: str, description: str, price: float | None, images: int, notes: list[str]
) -> None:
    facts = input_facts(listing(title=title, description=description, price=price, images=images), notes)
    assert facts.keys() == FACTS["listing"].keys()
    assert all(found in FACTS["listing"][fact] for fact, found in facts.items())


def test_what_is_counted_of_an_event_is_read_back_by_fact() -> None:
    screened = Screened(
        subject=Subject("message", "t7", (("message_id", "m9"),), "content"),
        position=Position("messages", 0, 4),
        event_at_us=0,
        notes=("key_missing",),
        rules=(),
        shown=message("はい"),
        ruleset="r",
        policy="p",
    )
    counts = dict(facts_of(screened, ("image_broken",)))
    assert counts["events"] == counts["note:key_missing"] == counts["note:image_broken"] == 1
    assert {fact: counted_of(counts, fact) for fact in FACTS["message"]} == {
        "length": {"1-4": 1},
        "script": {"japanese": 1},
        "masked": {"no": 1},
        "turns": {"1": 1},
        "writer": {"seller": 1},
        "status": {"shipped": 1},
    }
