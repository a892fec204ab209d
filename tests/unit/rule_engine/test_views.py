"""Views: evasions read as the word, and every place leads back to the original text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rule_engine.views import WayBack, fold, fold_sources, in_view, safe
from tests.unit.rule_engine.texts import texts


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
    assert fold_sources("a~b") == [0, 2]


@given(texts)
def test_fast_path_equals_mapped_path(text: str) -> None:
    """What the fold view's map says is what the fold view is, and the safe view of any text can be led back."""
    safe_view = safe(text)
    folded, sources = fold(safe_view), fold_sources(safe_view)
    assert len(folded) == len(sources)
    assert sources == sorted(sources)
    way = WayBack.of(text, safe_view)
    for index in range(len(safe_view)):
        start, end = way.span("safe", index, index + 1)
        assert 0 <= start < end <= len(text)
        assert safe_view[index] in safe(text[start:end])
    for index, source in enumerate(sources):
        assert way.span("fold", index, index + 1) == way.span("safe", source, source + 1)


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
