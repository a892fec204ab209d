"""Whatever somebody writes, the engine raises nothing and looks at a bounded number of characters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rule_engine import RuleSet, ScannedTurn, explain_message
from streams.rule_engine.rule import BOUNDARIES, VIEWS, Boundary, Count, Match, Near, Rule, View, Window
from streams.rule_engine.ruleset import MAX_SPANS
from streams.rule_engine.views import MAX_CHARS
from tests.unit.rule_engine.making import message_rule
from tests.unit.rule_engine.texts import texts

#: The most characters that NFKC makes of one (U+FDFA).
_MOST_OF_ONE = 18


def _rules_of(view: View, boundary: Boundary) -> list[Rule]:
    words = ("ライン", "らいん", "a", "ab", "0")
    matches = {
        "any": Match(any=words, view=view, boundary=boundary),
        "near": Match(near=Near(words, ("line", "b", "ンラ"), 5), view=view, boundary=boundary),
        "count": Match(
            count=Count(("ライン", "a", "b"), 3, False), none=("禁",), view=view, boundary=boundary
        ),
        "all": Match(all=("a", "ライン", Match(any=("line",), view=view)), view=view, boundary=boundary),
    }
    windows = {"near": Window(5, "any", False), "count": Window(5, "together", False)}
    return [
        message_rule(
            match,
            id=f"{name}.{view}.{boundary}",
            window=windows.get(name, Window()),
            except_phrases=("ラインラ", "aa"),
        )
        for name, match in matches.items()
    ]


_RULES = RuleSet(
    [
        *(rule for view in VIEWS for boundary in BOUNDARIES for rule in _rules_of(view, boundary)),
        *(
            message_rule(Match(regex="(?:[a-z] ){3}|[0-9]{4,}x|ラ.{0,20}ン", view=view), id=f"regex.{view}")
            for view in VIEWS
        ),
        message_rule(Match(regex="[0-9]{3}-[0-9]{4}"), id="number"),
    ]
)


@settings(max_examples=200)
@given(st.lists(texts, min_size=1, max_size=5))
def test_no_conversation_raises(said: list[str]) -> None:
    turns = [
        ScannedTurn(str(at), ("buyer", "seller")[at % 2], _RULES.scan(text)) for at, text in enumerate(said)
    ]
    hits = _RULES.evaluate_message(turns, {}, at_us=0)
    for hit in hits:
        assert 0 < len(hit.spans) <= MAX_SPANS
        for span in hit.spans:
            assert 0 <= span.start < span.end <= len(said[int(span.message_id or 0)])
    explained = explain_message(_RULES, turns, {}, at_us=0)
    assert {one.rule.id for one in explained if one.fires} == {hit.rule_id for hit in hits}


#: What is repeated up to a million characters: words, marks to compose, ligatures of 18 letters, invisible and control
#: characters, lone surrogates, spelled digits, runs to squeeze, flags, look-alikes, syllables in pieces, families.
_REPEATED = [
    "a", "ライン", "か゛", "\u0301", "a\u0301\u0323\u05b0", "\ufdfa", "\ud800", "\u200b", "\x00\x07", "\n", "ゼロ", "oh ",
    "0ー・.", "00000000 x", "\u1100\u1161\u11a8", "🇱🇮🇳🇪", "ラ力", "ab line ライン ", "LINE ", "👨\u200d👩\u200d👧", "\u0f71\u0f72\u0f80",
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("repeated", _REPEATED, ids=ascii)
def test_a_million_characters_are_ten_thousand(repeated: str) -> None:
    text = (repeated * 1_000_000)[:1_000_000]
    scan = _RULES.scan(text)
    assert scan.truncated
    assert scan.text == text  # the event's own, though only its beginning is read
    for view, written in scan.views.items():
        assert len(written) <= _MOST_OF_ONE * MAX_CHARS, view
    # no word stands twice at one place, so places are bounded by words and characters
    for places in scan.hits.values():
        assert len(places) <= _MOST_OF_ONE * MAX_CHARS
        assert len(set(places)) == len(places)
    hits = _RULES.evaluate_message([ScannedTurn("m", "buyer", scan)], {}, at_us=0)
    assert all(span.end <= MAX_CHARS for hit in hits for span in hit.spans)
    assert hits == _RULES.evaluate_message(
        [ScannedTurn("m", "buyer", _RULES.scan(text[:MAX_CHARS]))], {}, at_us=0
    )
