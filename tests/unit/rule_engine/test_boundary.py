"""Word boundaries in text without spaces."""

from __future__ import annotations

import pytest

from streams.rule_engine.boundary import stands_alone


@pytest.mark.parametrize(
    ("text", "word", "alone"),
    [
        ("ライン交換", "ライン", True),
        ("ラインストーン", "ライン", False),
        ("オンライン", "ライン", False),
        ("ラインー", "ライン", False),
        ("よかったらラインで", "ライン", True),
        ("my line id", "line", True),
        ("deadline", "line", False),
        ("line2", "line", False),
        ("lineで", "line", True),
        ("指定口座に", "口座", True),  # kanji have no runs to tell by
        ("らいんが", "らいん", True),
        ("ライン", "ライン", True),
    ],
)
def test_stands_alone(text: str, word: str, alone: bool) -> None:
    start = text.index(word)
    assert stands_alone(text, start, start + len(word)) is alone
