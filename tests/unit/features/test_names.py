from __future__ import annotations

import pytest

from streams.features.tokens import TextPipeline


@pytest.fixture(scope="module")
def pipeline() -> TextPipeline:
    return TextPipeline()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("山田花子です", "〈NAME〉です"),
        ("鈴木です", "〈NAME〉です"),
        ("原さん", "〈NAME〉さん"),
        ("林様", "〈NAME〉様"),
        ("山口さん", "〈NAME〉さん"),
        ("さとうと申します", "〈NAME〉と申します"),
        ("購入者のさとうと申します", "購入者の〈NAME〉と申します"),
        ("My name is John Smith and I live here", "My name is 〈NAME〉 and I live here"),
        ("my name is on the box", "my name is on the box"),
        ("山口県産のお米", "山口県産のお米"),
        ("林の中", "林の中"),
        ("金色の糸", "金色の糸"),
        ("神回でした", "神回でした"),
        ("田中貴金属の指輪", "田中貴金属の指輪"),
        ("ヤマダ電機で購入", "ヤマダ電機で購入"),
        ("せやな", "せやな"),
        ("お客様", "お客様"),
        ("テニスの王子様 全巻", "テニスの王子様 全巻"),
        ("皆さん、神様", "皆さん、神様"),
        ("鈴木さんと佐藤さん", "〈NAME〉さんと〈NAME〉さん"),
        ("口座名義は田中一郎、宛名:鈴木", "口座名義は〈NAME〉、宛名:〈NAME〉"),
    ],
)
def test_names_and_what_only_looks_like_one(pipeline: TextPipeline, text: str, masked: str) -> None:
    assert pipeline.prepare(text).masked == masked
