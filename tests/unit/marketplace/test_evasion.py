"""Disguises: each changes the spelling, and what the engine normalises away it gets back."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.evasion import disguise, disguise_in, full_width, half_width, look_alike, spread
from streams.features.normal_form import normalise


def test_each_disguise() -> None:
    assert half_width("ライン") == "ﾗｲﾝ"
    assert half_width("ペイペイ") == "ﾍﾟｲﾍﾟｲ"
    assert full_width("LINE") == "ＬＩＮＥ"
    assert look_alike("Signal") == "S1gn@l"
    assert spread("振込", "　") == "振　込"


@pytest.mark.parametrize("word", ["ライン", "ペイペイ", "インスタグラム", "バカ"])
def test_half_width_is_the_same_word_to_the_engine(word: str) -> None:
    assert normalise(half_width(word)) == normalise(word)


@given(st.text("abcdefghijkLINEラインペイ振込", min_size=2), st.integers())
def test_a_disguise_changes_the_word(word: str, seed: int) -> None:
    assert disguise(word, Random(seed)) != word


def test_only_the_first_known_word_is_disguised() -> None:
    text = disguise_in("LINEで口座を", ("口座", "LINE"), Random(1))
    assert "LINE" in text
    assert "口座" not in text
    assert disguise_in("こんにちは", ("口座",), Random(1)) == "こんにちは"
