from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.features.masking import mask_patterns, masked_excerpt, placeholder
from streams.features.patterns import KINDS, Span, pattern_spans
from streams.features.pii_numbers import is_iban, passes_luhn
from streams.features.tokens import TextPipeline
from tests.unit.features.pii_score import read_samples, score

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def pipeline() -> TextPipeline:
    return TextPipeline()


@pytest.mark.parametrize("name", ["pii_samples", "pii_samples_second"])
def test_scores_on_marked_samples_are_as_documented(pipeline: TextPipeline, name: str) -> None:
    """docs/masking.md quotes these tables; a change of the patterns changes them knowingly or not at all."""
    table, differences = score(list(read_samples(HERE / f"{name}.txt")), pipeline)
    approved = (HERE / f"{name}.approved.txt").read_text(encoding="utf-8")
    assert "\n".join([table, *differences]) + "\n" == approved


def test_spans_are_places_in_the_original() -> None:
    text = "連絡は ０９０−１２３４−５６７８ か ｔａｒｏ\u200b@example.com まで"
    masked = mask_patterns(text)
    assert masked.text == "連絡は 〈PHONE〉 か 〈EMAIL〉 まで"
    assert [(text[s.start : s.end], s.kind) for s in masked.spans] == [
        ("０９０−１２３４−５６７８", "PHONE"),
        ("ｔａｒｏ\u200b@example.com", "EMAIL"),
    ]


def test_nothing_of_a_number_is_left_beside_its_placeholder() -> None:
    assert mask_patterns("0️⃣9️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣まで").text == "〈PHONE〉まで"


def test_a_masked_text_stays_as_it_is() -> None:
    for name in ("pii_samples", "pii_samples_second"):
        for sample in read_samples(HERE / f"{name}.txt"):
            once = mask_patterns(sample.text).text
            assert mask_patterns(once).text == once


@pytest.mark.parametrize(
    ("start", "end", "excerpt"),
    [
        (0, 4, "LINE"),
        (0, 11, "LINE ID:〈HANDLE〉"),
        (8, 11, "〈HANDLE〉"),
        (10, 11, "〈HANDLE〉"),
        (8, 40, "〈HANDLE〉 か 〈PHONE〉"),
        (14, 17, " か "),
        (5, 5, ""),
    ],
)
def test_the_excerpt_of_a_rule_hit_holds_no_personal_data(start: int, end: int, excerpt: str) -> None:
    assert masked_excerpt("LINE ID:taro99 か 09012345678", start, end) == excerpt


def test_an_excerpt_can_be_sent() -> None:
    masked_excerpt("\ud800 LINE \udfff", 0, 8).encode("utf-8")


@given(
    st.text(
        st.one_of(
            st.sampled_from("0123456789-+() @.〈〉lineid〒都区市町のと申します"), st.characters(codec=None)
        ),
        max_size=80,
    )
)
def test_any_text_is_masked_and_can_be_sent(text: str) -> None:
    masked = mask_patterns(text)
    masked.text.encode("utf-8")
    at = 0
    for span in masked.spans:
        assert at <= span.start < span.end <= len(text)
        assert span.kind in KINDS
        at = span.end


@given(
    st.integers(0, 10**8 - 1),
    st.sampled_from(["070", "080", "090"]),
    st.sampled_from(["", "-", " ", ".", "ー"]),
)
def test_every_mobile_number_is_found(number: int, prefix: str, gap: str) -> None:
    digits = f"{number:08}"
    text = f"電話は{prefix}{gap}{digits[:4]}{gap}{digits[4:]}です"
    assert mask_patterns(text).text == "電話は〈PHONE〉です"


@given(st.integers(0, 10**12 - 1))
def test_no_tracking_number_of_twelve_digits_is_taken(number: int) -> None:
    digits = f"{number:012}"
    for text in (f"追跡番号 {digits} です", f"伝票番号 {digits[:4]}-{digits[4:8]}-{digits[8:]} です"):
        assert mask_patterns(text).text == text


@given(st.integers(0, 10**9))
def test_no_price_is_taken(price: int) -> None:
    for text in (f"{price:,}円でお願いします", f"{price}円", f"¥{price:,}", f"${price / 100:,.2f}"):
        assert mask_patterns(text).text == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("はい、taro.8436です", "はい、〈HANDLE〉です"),
        ("here: tom_41", "here: 〈HANDLE〉"),
        ("add the_jess32 Discord and say hi", "add 〈HANDLE〉 Discord and say hi"),
        ("555 363 8186", "〈PHONE〉"),
        ("大阪市北区南町6-37です", "〈ADDRESS〉です"),
        ("横浜市西区で1-2日後に", "横浜市西区で1-2日後に"),
        ("IMG_1234です", "IMG_1234です"),
        ("WH1000です", "WH1000です"),
        ("dropbox.com", "dropbox.com"),
        ("ver.1.2.3", "ver.1.2.3"),
        ("Suitable_for all types, in line with the rest", "Suitable_for all types, in line with the rest"),
    ],
)
def test_handles_without_a_label_and_their_neighbours(text: str, masked: str) -> None:
    assert mask_patterns(text).text == masked


def test_where_two_kinds_claim_a_place_the_surer_wins() -> None:
    assert pattern_spans("カード 4111111111111111 電話") == [Span(4, 20, "CARD")]


def test_placeholders_that_are_there_already_are_spans() -> None:
    for kind in KINDS:
        masked = mask_patterns(f"a {placeholder(kind)} b")
        assert [span.kind for span in masked.spans] == [kind]
        assert masked.text == f"a {placeholder(kind)} b"


def test_check_digits() -> None:
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")
    assert is_iban("gb82west12345698765432")
    assert not is_iban("gb82west12345698765433")
    assert not is_iban("gb82")


def test_hostile_texts_take_no_longer_than_their_length() -> None:
    """Each would take minutes in a pattern that is quadratic; the suite's own time limit then ends the test."""
    for text in (
        "a" * 100_000 + "@",
        "0-" * 50_000,
        "市" * 100_000,
        "line " * 20_000,
        "東京都" * 30_000 + "1",
        "line@" * 20_000,
    ):
        mask_patterns(text)
