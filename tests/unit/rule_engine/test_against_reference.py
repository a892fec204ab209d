"""The engine finds what a slow, literal matcher finds: all rules in one set against each rule by itself."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rule_engine import RuleHit, RuleSet, ScannedTurn, explain_listing
from streams.rule_engine.rule import Count, Match, Near, Rule, Window
from tests.unit.rule_engine.reference import fires

_WORDS = st.sampled_from(
    ["ライン", "らいん", "ＬＩＮＥ", "line", "直接", "直", "い", "ab", "b", "ラ", "ン交", "交換", "a-b"]
)
_VIEWS = st.sampled_from(["safe", "fold", "squeeze", "digits"])
_BOUNDARIES = st.sampled_from(["none", "auto", "token"])
_TEXTS = st.lists(
    st.sampled_from(
        [
            "ライン",
            "ﾗｲﾝ",
            "らーいん",
            "LINE",
            "l\u200bine",
            "ストーン",
            "直",
            "接",
            "交換",
            "a",
            "b",
            "-",
            "〜",
            " ",
            "、",
            "1",
            "\ud800",
            "二",
            "090-12の345678",
        ]
    ),
    max_size=10,
).map("".join)
_words = st.lists(_WORDS, min_size=1, max_size=3, unique=True).map(tuple)


def _matches() -> st.SearchStrategy[Match]:
    options = {
        "view": _VIEWS,
        "boundary": _BOUNDARIES,
        "field": st.sampled_from([None, None, "title", "description"]),
    }
    vetoes = st.lists(_WORDS, max_size=1).map(tuple)
    leaves = st.one_of(
        st.builds(Match, any=_words, none=vetoes, **options),
        st.builds(Match, near=st.builds(Near, _words, _words, st.integers(0, 4)), none=vetoes, **options),
        st.builds(
            Match, count=st.builds(Count, _words, st.integers(1, 3), st.booleans()), none=vetoes, **options
        ),
        st.builds(
            Match,
            regex=st.sampled_from(["line|ライン", "[0-9]", "ab?", "直接?", r"b\b", "交換$"]),
            view=st.sampled_from(["safe", "safe", "fold", "digits"]),
            none=vetoes,
        ),
    )
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            Match,
            all=st.lists(st.one_of(inner, _WORDS), min_size=1, max_size=3).map(tuple),
            none=st.lists(st.one_of(inner, _WORDS), max_size=1).map(tuple),
            **options,
        ),
        max_leaves=4,
    )


def _rules() -> st.SearchStrategy[list[Rule]]:
    rule = st.builds(
        Rule,
        id=st.integers(0, 10**9).map(lambda number: f"r{number}"),
        description=st.just("generated"),
        domain=st.just("d"),
        kind=st.just("listing"),
        severity=st.just("low"),
        match=_matches(),
        mode=st.just("active"),
        fields=st.sampled_from([(), (), ("title",)]),
        except_phrases=st.lists(st.sampled_from(["ラインストーン", "直接", "らいん交換"]), max_size=1).map(
            tuple
        ),
    )
    return st.lists(rule, min_size=1, max_size=4, unique_by=lambda rule: rule.id)


@settings(max_examples=400, deadline=None)
@given(_rules(), _TEXTS, _TEXTS)
def test_listing_hits_are_those_of_the_reference(rules: list[Rule], title: str, description: str) -> None:
    compiled = RuleSet(rules)
    texts = {"title": title, "description": description}
    hits = compiled.evaluate_listing({name: compiled.scan(text) for name, text in texts.items()}, {}, at_us=0)
    assert {hit.rule_id for hit in hits} == {rule.id for rule in rules if fires(rule, texts)}
    for hit in hits:
        assert hit.spans
        for span in hit.spans:
            assert 0 <= span.start < span.end <= len(texts[span.field])


_WINDOWS = st.sampled_from(
    [Window(), Window(3, "any", True), Window(5, "any", False), Window(5, "together", False)]
)


def _message_rules() -> st.SearchStrategy[list[Rule]]:
    return st.tuples(_rules(), st.lists(_WINDOWS, min_size=4, max_size=4)).map(
        lambda given: [
            msgspec.structs.replace(rule, kind="message", fields=(), window=window)
            for rule, window in zip(*given, strict=False)
        ]
    )


def _judged(rules: list[Rule], said: list[str]) -> list[RuleHit]:
    compiled = RuleSet(rules)
    turns = [
        ScannedTurn(str(index), ("buyer", "seller")[index % 2], compiled.scan(text))
        for index, text in enumerate(said)
    ]
    return compiled.evaluate_message(turns, {}, at_us=0)


@settings(max_examples=100, deadline=None)
@given(_message_rules(), st.lists(_TEXTS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_rules_makes_no_difference(rules: list[Rule], said: list[str], random: Random) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert RuleSet(rules).version == RuleSet(shuffled).version
    assert _judged(rules, said) == _judged(shuffled, said)


@settings(max_examples=100, deadline=None)
@given(_message_rules(), st.lists(_TEXTS, min_size=1, max_size=4))
def test_a_rule_fires_in_company_as_it_fires_alone(rules: list[Rule], said: list[str]) -> None:
    alone = [hit for rule in rules for hit in _judged([rule], said)]
    assert sorted(_judged(rules, said), key=lambda hit: hit.rule_id) == sorted(
        alone, key=lambda hit: hit.rule_id
    )


@settings(max_examples=60, deadline=None)
@given(_rules(), st.lists(_TEXTS, min_size=1, max_size=3))
def test_a_message_rule_reads_each_message_by_itself(rules: list[Rule], said: list[str]) -> None:
    rules = [
        msgspec.structs.replace(rule, kind="message", fields=(), window=Window(messages=2, scope="any"))
        for rule in rules
    ]
    compiled = RuleSet(rules)
    turns = [ScannedTurn(str(index), "buyer", compiled.scan(text)) for index, text in enumerate(said)]
    hits = compiled.evaluate_message(turns, {}, at_us=0)
    expected = {rule.id for rule in rules if any(fires(rule, {"text": text}) for text in said[-2:])}
    assert {hit.rule_id for hit in hits} == expected


@settings(max_examples=60, deadline=None)
@given(_rules(), st.lists(_TEXTS, min_size=1, max_size=3))
def test_messages_read_together_are_read_like_fields(rules: list[Rule], said: list[str]) -> None:
    together = RuleSet(
        msgspec.structs.replace(rule, kind="message", fields=(), window=Window(messages=5, scope="together"))
        for rule in rules
        if not _names_field(rule.match)
    )
    turns = [ScannedTurn(str(index), "buyer", together.scan(text)) for index, text in enumerate(said)]
    hits = together.evaluate_message(turns, {}, at_us=0)
    fields = {str(index): text for index, text in enumerate(said)}
    expected = {
        rule.id
        for rule in rules
        if not _names_field(rule.match) and fires(msgspec.structs.replace(rule, fields=()), fields)
    }
    assert {hit.rule_id for hit in hits} == expected


def _names_field(match: Match) -> bool:
    children = [child for child in (*match.all, *match.none) if isinstance(child, Match)]
    return match.field is not None or any(map(_names_field, children))


@settings(max_examples=100, deadline=None)
@given(_rules(), _TEXTS, _TEXTS)
def test_explanations_agree_with_the_evaluation(rules: list[Rule], title: str, description: str) -> None:
    compiled = RuleSet(rules)
    fields = {"title": compiled.scan(title), "description": compiled.scan(description)}
    hits = {hit.rule_id: hit.spans for hit in compiled.evaluate_listing(fields, {}, at_us=0)}
    explained = explain_listing(compiled, fields, {}, at_us=0)
    assert {one.rule.id: one.spans for one in explained if one.fires} == hits
    for one in explained:
        assert one.missing == "" if one.fires else one.missing.startswith("match")
