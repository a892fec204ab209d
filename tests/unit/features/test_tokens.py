from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.features.tokens import MAX_CHARACTERS, TOKENIZER, TextPipeline, token_hash


@pytest.fixture(scope="module")
def pipeline() -> TextPipeline:
    return TextPipeline()


def hashes(*surfaces: str) -> list[int]:
    return [token_hash(surface) for surface in surfaces]


def test_hashes_are_frozen() -> None:
    """Vocabularies of trained models hold these numbers: if one changes, TOKENIZER must change too."""
    assert TOKENIZER == "unidic-lite-1.0.8/1"
    assert hashes("line", "円", "〈PHONE〉") == [FROZEN["line"], FROZEN["円"], FROZEN["〈PHONE〉"]]


FROZEN = {
    "line": 1_946_856_119_721_355_128,
    "円": 7_275_136_070_211_720_534,
    "〈PHONE〉": 6_839_466_258_924_579_518,
}


@given(st.text(st.characters(codec=None), max_size=20))
def test_a_hash_fits_a_positive_int64(surface: str) -> None:
    assert 0 < token_hash(surface) < 2**63


def test_spellings_share_a_hash() -> None:
    assert token_hash("ＬＩＮＥ") == token_hash("line") == token_hash("L\u200bINE")
    assert token_hash("ガチ") == token_hash("ｶﾞﾁ")


@pytest.mark.parametrize(
    ("text", "surfaces"),
    [
        ("商品を発送しました", ["商品", "を", "発送", "し", "まし", "た"]),
        ("ＬＩＮＥで\n連絡", ["line", "で", "連絡"]),
        ("12,000円", ["12", ",", "000", "円"]),
        ("電話は090-1234-5678です", ["電話", "は", "〈PHONE〉", "です"]),
        ("〒150-0002です", ["〒", "〈POSTAL〉", "です"]),
        ("田中太郎と申します", ["〈NAME〉", "と", "申し", "ます"]),
        ("佐藤さん、taro@example.comです", ["〈NAME〉", "さん", "、", "〈EMAIL〉", "です"]),
        ("Can you pay me directly?", ["can", "you", "pay", "me", "directly", "?"]),
        ("", []),
        (" \n\t\u3000\u200b", []),
    ],
)
def test_words_of_a_text(pipeline: TextPipeline, text: str, surfaces: list[str]) -> None:
    prepared = pipeline.prepare(text)
    assert prepared.tokens.dtype == np.int64
    assert prepared.tokens.tolist() == hashes(*surfaces)


def test_masked_text_keeps_its_writing(pipeline: TextPipeline) -> None:
    prepared = pipeline.prepare("ＬＩＮＥ：ｔａｒｏ＿９９ 佐藤さん\n０９０１２３４５６７８")
    assert prepared.masked == "ＬＩＮＥ：〈HANDLE〉 〈NAME〉さん\n〈PHONE〉"


def test_a_text_without_personal_data_is_returned_as_written(pipeline: TextPipeline) -> None:
    text = "ＳＩＺＥ：Ｍ ﾌﾞﾗｳｽ\u200b 3,500円"
    assert pipeline.prepare(text).masked == text


def test_without_masking_the_text_is_whole_and_the_tokens_are_the_same(pipeline: TextPipeline) -> None:
    text = "佐藤さん、電話は090-1234-5678です"
    shown = TextPipeline(mask=False).prepare(text)
    assert shown.masked == text
    assert shown.tokens.tolist() == pipeline.prepare(text).tokens.tolist()


def test_a_masked_text_has_the_tokens_of_the_original(pipeline: TextPipeline) -> None:
    """Retraining reads masked texts from the predictions."""
    for text in (
        "連絡は090-1234-5678まで",
        "田中さん、LINE ID: taro_99 です",
        "taro@example.com へ 〒150-0002",
    ):
        prepared = pipeline.prepare(text)
        assert pipeline.prepare(prepared.masked).tokens.tolist() == prepared.tokens.tolist()


def test_a_long_text_is_cut_and_no_number_is_cut_in_two(pipeline: TextPipeline) -> None:
    text = "あ" * (MAX_CHARACTERS - 5) + "09012345678" + "い" * 100
    prepared = pipeline.prepare(text)
    assert prepared.masked == "あ" * (MAX_CHARACTERS - 5) + "…"
    kept = pipeline.prepare("あ" * MAX_CHARACTERS)
    assert kept.masked == "あ" * MAX_CHARACTERS
    assert pipeline.prepare("あ" * 100_000).tokens.tolist() == kept.tokens.tolist()


@settings(deadline=None)
@given(
    text=st.text(
        st.one_of(
            st.sampled_from("田中さん様と申します0909-@〈PHONE〉\ue000\n\u2028\x85\x1c\x00 林"),
            st.characters(codec=None),
        ),
        max_size=60,
    )
)
def test_any_text_is_prepared(pipeline: TextPipeline, text: str) -> None:
    prepared = pipeline.prepare(text)
    prepared.masked.encode("utf-8")
    assert (prepared.tokens > 0).all()
    assert len(prepared.tokens) <= len(text) * 18  # NFKC makes at most 18 characters of one
    assert pipeline.prepare(text).tokens.tolist() == prepared.tokens.tolist()
