"""The tests inside rules."""

from __future__ import annotations

import pytest

from streams.rule_engine import RuleSet
from streams.rule_engine.conditions import holds
from streams.rule_engine.rule import Condition, Count, Match, Near, Rule
from streams.rule_engine.samples import Sample, accepted_facts, run_sample
from streams.rule_engine.underline import underlined
from tests.unit.rule_engine.making import listing_rule, message_rule


def _run(rule: Rule, sample: Sample, *others: Rule) -> tuple[bool, str]:
    outcome = run_sample(RuleSet([rule, *others]), rule, sample)
    return outcome.passed, f"{outcome.headline()}\n{outcome.shown()}"


def test_a_sample_that_fires_where_it_must_not_shows_the_place() -> None:
    rule = message_rule(Match(any=("ライン",)))
    sample = Sample(False, 3, 1, 1, turns=(("seller", "オンライン授業の教材です"),))
    assert _run(rule, sample) == (
        False,
        'tests.should_not_match[3] fired: match.any: "ライン" is found\nオンライン授業の教材です\n    ^^^^^^',
    )


def test_the_place_in_a_listing_field() -> None:
    rule = listing_rule(Match(any=("コピー",)))
    sample = Sample(False, 0, 1, 1, fields=(("title", "用紙"), ("description", "コピー用")))
    expected = 'tests.should_not_match[0] fired: match.any: "コピー" is found\nコピー用\n^^^^^^'
    assert _run(rule, sample) == (False, expected)


def test_a_sample_that_does_not_fire_shows_the_text() -> None:
    rule = message_rule(Match(any=("ライン",)))
    sample = Sample(True, 0, 1, 1, turns=(("seller", "LINE"), ("seller", "で" * 99)))
    expected = "tests.should_match[0] did not fire: match.any: no word of it is there\n" + "で" * 60 + "…"
    assert _run(rule, sample) == (False, expected)


def test_only_the_rules_own_hit_counts() -> None:
    rule = message_rule(Match(any=("ライン",)), id="mine")
    other = message_rule(Match(any=("LINE",)), id="other")
    assert _run(rule, Sample(False, 0, 1, 1, turns=(("seller", "LINE"),)), other)[0]


def test_metadata_that_is_not_given_is_filled_in_for_both_kinds_of_sample() -> None:
    rule = listing_rule(Match(any=("マスク",)), when={"price": Condition(gte=1500)})
    fields = (("title", "マスク"),)
    assert _run(rule, Sample(True, 0, 1, 1, fields=fields))[0]
    assert not _run(rule, Sample(False, 0, 1, 1, fields=fields))[0]
    assert _run(rule, Sample(False, 0, 1, 1, fields=fields, facts=(("price", 100.0),)))[0]


def test_samples_without_a_time_are_judged_while_the_rule_is_valid() -> None:
    turns = (("seller", "LINE"),)
    for validity in ({}, {"valid_from_us": 10**18}, {"valid_until_us": 10**3}):
        rule = message_rule(Match(any=("LINE",)), **validity)
        assert _run(rule, Sample(True, 0, 1, 1, turns=turns))[0]
    expired = message_rule(Match(any=("LINE",)), valid_until_us=10)
    assert _run(expired, Sample(False, 0, 1, 1, turns=turns, at_us=10))[0]


@pytest.mark.parametrize(
    "condition",
    [
        Condition(one_of=("a", "b")),
        Condition(one_of=("a", "b"), not_in=("a",)),
        Condition(not_in=("a",)),
        Condition(lt=5),
        Condition(lte=5),
        Condition(gt=5),
        Condition(gte=5),
        Condition(gte=5, lte=5),
        Condition(gt=5, lt=5.5),
        Condition(gte=3, gt=4, lt=9, lte=8),
    ],
)
def test_accepted_facts_are_accepted(condition: Condition) -> None:
    assert holds(condition, accepted_facts({"x": condition})["x"])


@pytest.mark.parametrize(
    ("match", "text", "decided"),
    [
        (Match(all=("振込", "直接")), "銀行振込で", 'match.all[1]: "直接" is not there'),
        (Match(all=("振込",), none=("事務局",)), "振込は事務局へ", 'match.none[0]: "事務局" is found, which excludes the rule'),
        (Match(near=Near(("ライン",), ("交換",), 2)), "ラインを後で交換", "match.near: the words are 3 characters apart; within is 2"),
        (Match(near=Near(("ライン",), ("交換",), 2)), "ラインで", "match.near.b: no word of it is there"),
        (Match(count=Count(("嘘", "詐欺"), 2)), "嘘だ", "match.count: 1 different words are found; at_least is 2"),
        (Match(any=("ライン",), boundary="auto"), "オンライン", 'match.any: "ライン" is only part of a longer word (boundary: auto)'),
        (Match(any=("手数料",)), "手数料無料です", 'match.any: "手数料" is only inside an exception phrase'),
        (Match(regex="口座[0-9]"), "口座", "match.regex: the pattern is not there"),
        (Match(all=(Match(all=("振込", "直接")), "x1")), "振込 x1", 'match.all[0].all[1]: "直接" is not there'),
    ],
)  # fmt: skip
def test_which_part_of_the_tree_decided(match: Match, text: str, decided: str) -> None:
    rule = message_rule(match, except_phrases=("手数料無料",))
    passed, shown = _run(rule, Sample(True, 0, 1, 1, turns=(("seller", text),)))
    assert not passed
    assert shown.splitlines()[0] == f"tests.should_match[0] did not fire: {decided}"


def test_what_was_found_of_a_sample_that_did_not_fire_is_marked() -> None:
    _, shown = _run(
        message_rule(Match(all=("振込", "直接"))), Sample(True, 0, 1, 1, turns=(("seller", "銀行\n振込で"),))
    )
    assert shown.splitlines()[1:] == ["銀行 振込で", "     ^^^^"]


def test_places_after_long_texts_and_wide_letters_stay_below_their_words() -> None:
    text = "あ" * 100 + "\u200bＬＩＮＥ" + "い" * 100
    shown, marks = underlined(text, [(101, 105)])
    assert shown == "…" + "あ" * 29 + "\u200bＬＩＮＥ" + "い" * 30 + "…"
    assert marks == " " * (1 + 58) + "^" * 8
