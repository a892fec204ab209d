"""The tests inside rules."""

from __future__ import annotations

import pytest

from streams.rule_engine import RuleSet
from streams.rule_engine.conditions import holds
from streams.rule_engine.rule import Condition, Match, Rule
from streams.rule_engine.samples import Sample, accepted_facts, run_sample
from tests.unit.rule_engine.making import listing_rule, message_rule


def _run(rule: Rule, sample: Sample, *others: Rule) -> tuple[bool, str]:
    outcome = run_sample(RuleSet([rule, *others]), rule, sample)
    return outcome.passed, outcome.describe()


def test_a_sample_that_fires_where_it_must_not_shows_the_place() -> None:
    rule = message_rule(Match(any=("ライン",)))
    sample = Sample(False, 3, 1, 1, turns=(("seller", "オンライン授業の教材です"),))
    assert _run(rule, sample) == (False, "tests.should_not_match[3] fired: オン「ライン」授業の教材です")


def test_the_place_in_a_listing_field() -> None:
    rule = listing_rule(Match(any=("コピー",)))
    sample = Sample(False, 0, 1, 1, fields=(("title", "用紙"), ("description", "コピー用")))
    assert _run(rule, sample) == (False, "tests.should_not_match[0] fired: 「コピー」用")


def test_a_sample_that_does_not_fire_shows_the_text() -> None:
    rule = message_rule(Match(any=("ライン",)))
    sample = Sample(True, 0, 1, 1, turns=(("seller", "LINE"), ("seller", "で" * 99)))
    assert _run(rule, sample) == (False, "tests.should_match[0] did not fire: LINE / " + "で" * 53 + "…")


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
