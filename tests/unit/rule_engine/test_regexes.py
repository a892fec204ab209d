"""Patterns: what is refused, and literals that every match really contains."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from streams.rule_engine.regexes import BadRegex, check_regex, compile_regex, options
from streams.rule_engine.required import required_literals
from streams.rule_engine.views import safe


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


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"口座番号[0-9]{7}", ("口座番号",)),
        (r"(?:LINE|ライン)\s?id", ("line", "ライン")),
        (r"(?:LINE|ライン)?id", ("id",)),
        (r"foo\bbar", ("foobar",)),
        (r"x[0-9]+y", ()),
        (r"(?:ab|[0-9])cd", ("cd",)),
        (r"(?:abc)+d{3}", ("abc",)),
        (r"[[:alpha:]]ab", ()),  # Python's parser reads "]ab" there
        (r"\pNabc", ()),
        (r"  +x", ()),  # spaces alone are no word
        (r"ab|c", ()),
    ],
)
def test_required_literals(pattern: str, literals: tuple[str, ...]) -> None:
    assert required_literals(pattern) == literals


def _patterns() -> st.SearchStrategy[str]:
    atoms = st.one_of(
        st.text(alphabet="abABラいßſ\u212a1", min_size=1, max_size=3),
        st.sampled_from(
            ["[ab]", "[^a]", ".", r"\d", r"\b", "(?:ab|ラa)", "(?:a|bb)", "a?", "(?:ab)+", "(?i:Ab)", "b{2}"]
        ),
    )
    joined = st.lists(atoms, min_size=1, max_size=4).map("".join)
    return st.one_of(
        joined, st.tuples(joined, joined).map("|".join), joined.map(lambda inner: f"(?:{inner})+a")
    )


@given(_patterns(), st.text(alphabet="abABラいßſ1 ", max_size=12))
def test_every_match_contains_a_required_literal(pattern: str, text: str) -> None:
    try:
        compiled = compile_regex(pattern)
    except BadRegex:
        return
    literals = required_literals(pattern)
    view = safe(text)
    for found in compiled.finditer(view):
        assert not literals or any(literal in found.group() for literal in literals)


def test_letters_of_either_case_are_alike() -> None:
    assert re2.compile("LINE", options=options()).search("my line id").span() == (3, 7)
