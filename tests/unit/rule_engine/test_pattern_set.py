"""The set names every pattern that matches, whatever the text is made of and however little memory there is."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rule_engine.pattern_set import PatternSet
from streams.rule_engine.regexes import compile_regex
from tests.unit.rule_engine.texts import texts

#: With and without characters that every match needs.
_PATTERNS = {
    r"[0-9]{3}-[0-9]{4}": 7,
    r"@[a-z]+": 8,
    r"(?:[a-z] ){2}": 9,
    r"[ァ-ヶ]ン": 10,
    r"[0-9]$": 11,
    r".ン": 12,
    "\ufffd+": 13,
}
_chosen = st.lists(st.sampled_from(sorted(_PATTERNS)), unique=True)
_texts = st.one_of(
    texts, st.lists(st.sampled_from(["〒", "123-4567", "@ab", "a b ", "ライン", "9", "\n", "]"])).map("".join)
)


@given(_chosen, _texts)
def test_every_pattern_that_matches_is_a_candidate(chosen: list[str], text: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # views hold no lone surrogates
    candidates = PatternSet({pattern: _PATTERNS[pattern] for pattern in chosen}).candidates(text)
    matching = [_PATTERNS[pattern] for pattern in chosen if compile_regex(pattern).search(text)]
    assert sorted(candidates) == sorted(matching)


def test_a_set_without_memory_names_every_pattern_that_can_match(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        starved = PatternSet(_PATTERNS, memory_bytes=1)
    assert "one RE2 set" in caplog.text
    assert sorted(starved.candidates("no digit")) == [9, 10, 12, 13]  # neither a digit nor an @ is there
    assert sorted(starved.candidates("1")) == [7, 8, 9, 10, 11, 12, 13]
    assert starved.candidates("") == ()
