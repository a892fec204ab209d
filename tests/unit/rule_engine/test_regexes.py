"""Patterns: what is refused, and how they are compiled."""

from __future__ import annotations

import pytest
import re2

from streams.rule_engine.regexes import BadRegex, check_regex, options


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        (r"(?<!正規)品", "not a regular expression", "none:"),
        (r"(?=.*口座).*番号", "not a regular expression", "except:"),
        (r"(\d)\1{6}", "not a regular expression", "back-references"),
        (r"LINE[", "not a regular expression", ""),
        (r"a{2000}", "not a regular expression", "1000"),
        (r"[０-９]{7}", '"０" never matches', 'write "0"'),
        (r"ﾗｲﾝ", '"ﾗ" never matches', 'write "ラ"'),
        ("a\u200bb", "never matches", "leave it out"),
        (r"a*", "matches empty text", "stricter"),
        (r"お願い", "matches ordinary text", "stricter"),
        (r".+", "matches ordinary text", "stricter"),
    ],
)
def test_refused(pattern: str, message: str, hint: str) -> None:
    with pytest.raises(BadRegex) as refused:
        check_regex(pattern)
    assert message in str(refused.value)
    assert hint in refused.value.hint


@pytest.mark.parametrize("pattern", [r"口座[0-9]{7}", r"LINE\s?id", r"\bkill\b", r"[ァ-ヶー]{3}インスタ"])
def test_accepted(pattern: str) -> None:
    check_regex(pattern)


def test_letters_of_either_case_are_alike() -> None:
    assert re2.compile("LINE", options=options()).search("my line id").span() == (3, 7)
