"""Views: evasions read as the word, and every place leads back to the original text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.features.normal_form import align, normalise
from streams.rule_engine.rule import VIEWS, View
from streams.rule_engine.views import (
    _PLAIN,
    _SETTLED,
    WayBack,
    _aligned,
    fold,
    in_view,
    places_of,
    safe,
    view_of,
)
from tests.unit.rule_engine.texts import AWKWARD, texts


@pytest.mark.parametrize(
    "written",
    ["ＬＩＮＥ", "L\u200bI\u200bN\u200bE", "𝐋𝐈𝐍𝐄", "Ⓛⓘⓝⓔ", "🅻🅸🅽🅴", "Li\u00adne"],
)
def test_safe_view_reads_spellings_of_one_word(written: str) -> None:
    assert safe(written) == "line"


@pytest.mark.parametrize("written", ["ﾗｲﾝ", "ラ\u2060イン"])
def test_safe_view_joins_half_width_kana(written: str) -> None:
    assert safe(written) == "ライン"


def test_safe_view_composes_spaced_voiced_marks() -> None:
    assert safe("か゛ﾊﾟ") == "がパ"


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ライン", "らいん"),
        ("ラィ〜ン", "らいん"),
        ("らーいーん", "らいん"),
        ("ＬІΝＥ", "line"),  # Cyrillic І, Greek Ν
        ("L̶I̶N̶E", "line"),
        ("línè", "line"),
        ("ヴィト二ン", "ゔいとにん"),  # kanji 二 in a katakana run
        ("🇱🇮🇳🇪", "line"),
        ("二人で", "二人で"),  # kanji elsewhere stay
        ("がぱで", "がぱで"),  # voiced marks are no accents
    ],
)
def test_fold_view(written: str, folded: str) -> None:
    assert in_view(written, "fold") == folded


def test_ascii_takes_the_same_way_as_any_text() -> None:
    assert fold("a~b") == "ab"
    assert list(places_of("a~b", "fold").starts) == [0, 2]


@pytest.mark.parametrize(
    ("written", "squeezed"),
    [
        ("L I N E", "line"),
        ("ラ.イ・ン", "らいん"),
        ("LINEEEE", "line"),
        ("L̶-I_N E!!", "line"),
        ("aabbb", "aab"),
        ("1000円", "1000円"),
    ],
)
def test_squeeze_view(written: str, squeezed: str) -> None:
    assert in_view(written, "squeeze") == squeezed


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("ゼロ九〇の一二三四の五六七八まで", "09012345678まで"),
        ("tel 090-1234-5678.", "tel 09012345678."),
        ("zero nine zero one two three four five six seven eight", "09012345678"),
        ("０９０ー１２３４ー５６７８", "09012345678"),
        ("ぜろきゅうぜろ いちにさんよん ごろくななはち", "09012345678"),
        ("12,000円が3点", "12,000円が3点"),  # under nine digits
        ("二人で一緒に三回", "二人で一緒に三回"),
    ],
)
def test_digits_view(written: str, digits: str) -> None:
    assert in_view(written, "digits") == digits


@given(texts)
def test_fast_path_equals_mapped_path(text: str) -> None:
    """What the map of a view says is what the view is, and the safe view of any text can be led back."""
    safe_view = safe(text)
    way = WayBack.of(text, safe_view)
    for index in range(len(safe_view)):
        start, end = way.span("safe", index, index + 1)
        assert 0 <= start < end <= len(text)
        assert safe_view[index] in safe(text[start:end])
    for view in VIEWS:
        places = places_of(safe_view, view)
        made = view_of(safe_view, view)
        assert len(places.starts) == len(places.ends) == len(made)
        assert list(places.starts) == sorted(places.starts)
        for index in range(len(made)):
            start, end = places.span(index, index + 1)
            assert 0 <= start < end <= len(safe_view)
            assert way.span(view, index, index + 1) == way.span("safe", start, end)


_NUMBERS = st.lists(
    st.sampled_from(["0", "九", "ゼロ", "いち", "に", "three", "oh", "-", "の", " ", "あ", "ー", "o", "x"]),
    max_size=40,
).map("".join)


@given(_NUMBERS, st.sampled_from(VIEWS))
def test_every_place_of_a_view_is_written_there(text: str, view: View) -> None:
    safe_view = safe(text)
    places, made = places_of(safe_view, view), view_of(safe_view, view)
    assert len(places.starts) == len(made)
    for first, end in zip(places.starts, places.starts[1:], strict=False):
        assert first <= end
    if view == "digits" and made != safe_view:
        assert any(character.isdigit() for character in made)


@given(texts, st.data())
def test_a_span_holds_what_was_found(text: str, data: st.DataObject) -> None:
    safe_view = safe(text)
    if not safe_view:
        return
    start = data.draw(st.integers(0, len(safe_view) - 1))
    end = data.draw(st.integers(start + 1, len(safe_view)))
    first, last = WayBack.of(text, safe_view).span("safe", start, end)
    assert safe_view[start:end] in safe(text[first:last])


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0301\u200b", "\u05b0", "゛"])
def test_a_heap_of_marks_is_shown_whole_instead_of_being_aligned(marks: str) -> None:
    """Aligning takes the square of the number of marks: 4,000 of them took 24 s."""
    text = "か" + marks * 4000 + "LINE"
    safe_view = safe(text)
    start = safe_view.index("line")
    assert WayBack.of(text, safe_view).span("safe", start, start + 4) == (0, len(text))


_EVERY = tuple(map(chr, range(0x110000)))
_plain = tuple(character for character in _EVERY if _PLAIN.fullmatch(character))


def test_texts_that_are_not_aligned_need_no_aligning() -> None:
    """Each such character becomes one character, and none composes with what stands beside it."""
    assert len(_plain) > 20_000
    for character in _plain:
        assert len(normalise(character)) == 1
        assert not unicodedata.combining(character)
        assert unicodedata.normalize("NFKC", "か" + character) == "か" + unicodedata.normalize(
            "NFKC", character
        )
    everything = "".join(_plain)
    assert normalise(everything) == "".join(map(normalise, _plain))


def test_every_plain_character_has_its_normal_form_by_the_short_way() -> None:
    assert [safe(character) for character in _plain] == [normalise(character) for character in _plain]
    settled = [character for character in _plain if _SETTLED.fullmatch(character)]
    assert [normalise(character) for character in settled] == settled
    assert {character for character in _plain if normalise(character) == character} == set(settled)


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        texts,
        st.text(alphabet=st.sampled_from(_plain)),
        st.text(alphabet=st.one_of(st.sampled_from(_plain), st.sampled_from(AWKWARD), st.characters())),
    )
)
def test_the_short_way_to_the_safe_view_is_the_normal_form(text: str) -> None:
    assert safe(text) == normalise(text)
    by_stretches = _aligned(text, safe(text))
    assert by_stretches is None or by_stretches == align(text)


def test_a_text_that_cannot_be_aligned_shows_at_least_what_was_found() -> None:
    """A half-width voiced mark and an accent on a letter: found by the fuzz run."""
    text = "LINE A\uff9e\u0301"
    start, end = WayBack.of(text, safe(text)).span("safe", 0, 4)
    assert "LINE" in text[start:end]
