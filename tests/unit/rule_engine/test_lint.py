"""Words that are probably a mistake."""

from __future__ import annotations

import pytest

from streams.rule_engine.lint import exception_applies, lint_word, redundant_words
from streams.rule_engine.rule import Count, Match, Near


@pytest.mark.parametrize(
    ("word", "view", "code"),
    [
        ("死", "safe", "short-word"),
        ("a", "fold", "short-word"),
        ("バカ", "fold", "short-folded-word"),
        ("バーカー", "fold", "short-folded-word"),  # ばか
        ("バカ", "safe", None),
        ("ばかやろ", "fold", None),
        ("line", "fold", None),
    ],
)
def test_lint_word(word: str, view: str, code: str | None) -> None:
    found = lint_word(word, view)  # type: ignore[arg-type]
    assert (found[0] if found else None) == code


def test_redundant_words() -> None:
    assert list(redundant_words(["銀行振込", "振込", "口座"], "safe")) == [(0, 1)]
    assert list(redundant_words(["LINE", "ＬＩＮＥ", "line"], "safe")) == [(1, 0), (2, 0)]
    assert list(redundant_words(["ライン", "らいん"], "safe")) == []
    assert list(redundant_words(["ライン", "らいん"], "fold")) == [(1, 0)]
    assert list(redundant_words(["ー", "x"], "fold")) == []


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(any=("コピー品",)), True),
        (Match(any=("偽物",)), False),
        (Match(all=("偽物", Match(any=("コピー品",)))), True),
        (Match(near=Near(("品",), ("x",), 3)), True),
        (Match(count=Count(("x",), 1)), False),
        (Match(regex="x"), True),
    ],
)
def test_exception_applies(match: Match, expected: bool) -> None:
    assert exception_applies("コピー品ではありません", match) is expected
