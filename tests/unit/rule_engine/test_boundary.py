"""Word boundaries in text without spaces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given

from streams.rule_engine.boundary import on_token_edges, stands_alone, token_edges
from streams.rule_engine.views import safe
from tests.unit.rule_engine.texts import texts


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


@pytest.mark.parametrize(
    ("text", "word", "alone"),
    [
        ("手ばかり使う", "ばか", False),
        ("お前はばかだ", "ばか", True),
        ("この口座です", "口座", True),
        ("オンライン授業", "ライン", False),  # as with auto
        ("a deadline", "line", False),
        ("  LINE で", "line", True),
    ],
)
def test_token_edges(text: str, word: str, alone: bool) -> None:
    form = safe(text)
    start = form.index(word)
    assert on_token_edges(form, start, start + len(word)) is alone


@given(texts)
def test_token_edges_of_any_text(text: str) -> None:
    form = safe(text)
    edges = token_edges(form)
    assert all(0 <= edge <= len(form) for edge in edges)
    for index, character in enumerate(form):
        if character.isspace():
            assert not (index - 1 >= 0 and not form[index - 1].isspace()) or index in edges


def test_each_thread_has_its_own_tagger() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(token_edges, [f"手ばかり使う{number}" for number in range(200)]))
    assert found == [token_edges(f"手ばかり使う{number}") for number in range(200)]
