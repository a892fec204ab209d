"""What a pattern is said to need is in every match of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rule_engine.regexes import BadRegex, compile_regex
from streams.rule_engine.required import required_characters, required_literals
from streams.rule_engine.views import safe


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


@pytest.mark.parametrize(
    ("pattern", "characters"),
    [
        (r"[0-9]{3}-[0-9]{4}", "0123456789"),  # digits before the hyphen, which fewer texts hold
        (r"\d+", "0123456789"),
        (r"@[a-z]{4}", "@"),
        (r"[a-z]+\.", "."),
        (r"(?:@|#)x", "@#"),
        (r"(?:@|x)y", None),
        (r"[0-9]?x", None),
        (r"[0-9]*x(?:[1-3]y)+", "123"),
        (r"[^0-9]", None),
        (r"[0-9\s]", None),
        (r"[0-9a-f]{8}", None),
        (r"(?:[a-z] ){3}", None),
        (r"[[:digit:]]", None),
        (r"\pN1", None),  # Python's parser does not know it
    ],
)
def test_required_characters(pattern: str, characters: str | None) -> None:
    assert required_characters(pattern) == (None if characters is None else frozenset(characters))


def _patterns() -> st.SearchStrategy[str]:
    atoms = st.one_of(
        st.text(alphabet="abABラいßſ\u212a1", min_size=1, max_size=3),
        st.sampled_from(
            ["[ab]", "[^a]", ".", r"\d", r"\b", "(?:ab|ラa)", "(?:a|bb)", "a?", "(?:ab)+", "(?i:Ab)", "b{2}"]
        ),
        st.sampled_from(
            ["[0-9]", "[1-3]?", "@", r"\.", "[@#]", "(?:1|@)", "(?:1|a)", "[^1]", "-{2}", "1{,2}"]
        ),
    )
    joined = st.lists(atoms, min_size=1, max_size=4).map("".join)
    return st.one_of(
        joined, st.tuples(joined, joined).map("|".join), joined.map(lambda inner: f"(?:{inner})+a")
    )


@settings(max_examples=300)
@given(_patterns(), st.text(alphabet="abABラいßſ12@#.-{, ", max_size=12))
def test_every_match_contains_what_the_pattern_requires(pattern: str, text: str) -> None:
    try:
        compiled = compile_regex(pattern)
    except BadRegex:
        return
    literals, characters = required_literals(pattern), required_characters(pattern)
    for found in compiled.finditer(safe(text)):
        assert not literals or any(literal in found.group() for literal in literals)
        assert characters is None or characters & set(found.group())
