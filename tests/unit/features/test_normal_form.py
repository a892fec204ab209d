from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.features.normal_form import align, encodable, normalise

#: Characters that normalisation does something with, far likelier than in text drawn from all of Unicode.
AWKWARD = "aＡßİｶﾞﾟがか゛゜が゙ﾗ\u200b\u00ad\ufe0f\u20e3\u3164\uffa0각ㄱᄀ가ﬁ㌔①🅻Ⓛ－−ー〜～\u3000\u00a0 \n\r\t\x00\x1f\x85\ud800\udfff\ue000\ue00f\u2028é\u0301ǆﷺ𝐋"
texts = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(codec=None)), max_size=40)


@given(texts)
@example("か゛き゛")
@example("\ufdfa" * 3)
@example("e\u0323\u0301\u200b\u0308")
def test_the_way_back_leads_from_the_same_normal_form(text: str) -> None:
    aligned = align(text)
    assert aligned.text == normalise(text)
    assert len(aligned.text) == len(aligned.starts) == len(aligned.ends)
    for start, end in zip(aligned.starts, aligned.ends, strict=True):
        assert 0 <= start < end <= len(text)
    assert list(aligned.starts) == sorted(aligned.starts)


@given(texts)
def test_a_normal_form_can_be_sent_and_holds_nothing_invisible(text: str) -> None:
    normal = normalise(text)
    normal.encode("utf-8")
    assert not set(normal) & set("\u200b\u00ad\ufe0f\x00\ue000\ue00f")


@given(st.text(max_size=40))
def test_text_in_normal_form_stays(text: str) -> None:
    once = normalise(normalise(text))
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ＬＩＮＥ　ＩＤ", "line id"),
        ("L\u200bI\u00adN\ufe0fE", "line"),
        ("ｶﾞﾁ", "ガチ"),
        ("か゛", "が"),
        ("🅻🅸🅽🅴 Ⓛⓘⓝⓔ 𝐋𝐈𝐍𝐄", "line line line"),
        ("０９０−１２３４‐５６７８", "090-1234-5678"),
        ("0️⃣9️⃣0️⃣", "090"),
        ("スーパー 一〜二", "スーパー 一~二"),
        ("a\nb", "a\nb"),
        ("\ud83d?", "\ufffd?"),
        ("Straße", "strasse"),
        ("abc\x00DEF\x1f", "abcdef"),
    ],
)
def test_spellings_of_one_word(written: str, normal: str) -> None:
    assert normalise(written) == normal


def test_a_place_in_the_normal_form_is_found_in_the_original() -> None:
    text = "よ→ﾗ\u200bｲﾝで"
    aligned = align(text)
    at = aligned.text.index("ライン")
    start, end = aligned.span(at, at + 3)
    assert text[start:end] == "ﾗ\u200bｲﾝ"


def test_encodable_keeps_every_place() -> None:
    assert encodable("a\ud800b") == "a\ufffdb"
    assert encodable("そのまま") == "そのまま"


@pytest.mark.parametrize("text", ["Aﾞ\u0301", "eﾟ\u0301x", "かﾞﾞ\u0301"])
def test_an_accent_after_a_half_width_mark_reaches_the_letter_before_it(text: str) -> None:
    """The mark combines only once it is normalised, and the accent passes it by."""
    assert align(text).text == normalise(text)
