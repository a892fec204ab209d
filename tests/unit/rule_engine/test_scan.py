"""One scan for all rules: any text is safe, and no failure of the pattern set hides a match."""

from __future__ import annotations

import pytest
from hypothesis import given

from streams.rule_engine import RuleSet
from streams.rule_engine.rule import Match
from streams.rule_engine.scan import Scanner, Vocabulary
from streams.rule_engine.views import MAX_CHARS
from tests.unit.rule_engine.making import message_rule, say
from tests.unit.rule_engine.texts import texts

_RULES = RuleSet(
    [
        message_rule(Match(any=("ライン",)), id="word"),
        message_rule(Match(any=("らいん",), view="fold"), id="folded"),
        message_rule(Match(regex=r"[0-9]{3}-[0-9]{4}"), id="slow_regex"),
        message_rule(Match(regex=r"口座[0-9]{3}"), id="regex"),
    ]
)


@given(texts)
def test_no_text_raises(text: str) -> None:
    scan = _RULES.scan(text)
    assert scan.text == text
    say(_RULES, text)


@pytest.mark.parametrize("text", ["", "\ud800", "\ud800\udc00", "\x00", "゛", "\u0301", "\u200b"])
def test_texts_in_which_nothing_is_left(text: str) -> None:
    assert say(_RULES, text) == []


def test_ten_thousand_characters_are_read() -> None:
    inside = _RULES.scan("あ" * (MAX_CHARS - 3) + "ライン")
    outside = _RULES.scan("あ" * (MAX_CHARS - 2) + "ライン")
    assert (inside.truncated, outside.truncated) == (False, True)
    assert inside.hits
    assert not outside.hits


def test_a_hundred_thousand_characters_are_safe() -> None:
    hits = say(_RULES, "ライン" * 33_334)
    assert [hit.rule_id for hit in hits] == ["folded", "word"]
    assert len(hits[0].spans) == 20


def test_patterns_with_and_without_a_literal() -> None:
    assert [hit.rule_id for hit in say(_RULES, "口座１２３ 〒123-4567")] == ["regex", "slow_regex"]


def test_patterns_too_many_for_one_set_are_tried_one_by_one() -> None:
    vocabulary = Vocabulary()
    atom = vocabulary.pattern("safe", r"[0-9]{3}-[0-9]{4}")
    starved = Scanner(vocabulary, "v", set_memory_bytes=1)
    assert starved.patterns_without_literal == 1
    assert starved.scan("〒123-4567").hits == {atom: [(1, 9)]}
    assert starved.scan("〒123").hits == {}


def test_all_places_of_a_pattern_are_found() -> None:
    vocabulary = Vocabulary()
    atom = vocabulary.pattern("safe", "口座[0-9]")
    assert Scanner(vocabulary, "v").scan("口座1と口座2").hits[atom] == [(0, 3), (4, 7)]


def test_a_word_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing of"):
        Vocabulary().word("fold", "ー")
