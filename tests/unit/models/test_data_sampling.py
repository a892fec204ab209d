"""Negatives are kept in the stated number, hard and easy in the stated ratio, the same ones each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.facts import ExampleFacts
from models.data.rule_hits import RuleHits
from models.data.sampling import Sampling, combined, counts, near_misses, sampled
from streams.rule_engine import RuleSet
from streams.rule_engine.rule import Match
from tests.unit.models.labelled import listing, window
from tests.unit.rule_engine.making import message_rule

pytestmark = pytest.mark.train

LABEL = st.sampled_from([0.0, 0.0, 1.0, float("nan")])


def fact(labels: dict, *, hard: bool = False, hits: tuple[str, ...] = ()) -> ExampleFacts:
    return ExampleFacts("p", None, None, None, b"", labels, hard=hard, rule_hits=frozenset(hits))


@given(
    st.lists(st.tuples(LABEL, st.booleans()), max_size=80),
    st.one_of(st.just("all"), st.floats(0.1, 20)),
    st.one_of(st.none(), st.floats(0, 1)),
    st.integers(0, 5),
)
def test_whatever_the_data_every_positive_stays_and_the_ratios_hold(
    rows: list[tuple[float, bool]], ratio: float | str, share: float | None, seed: int
) -> None:
    truth = np.array([label for label, _ in rows], np.float32)
    hard = np.array([is_hard for _, is_hard in rows], np.bool_)
    kept = sampled(truth, ratio, seed, hard=hard, hard_share=share)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert set(np.flatnonzero(truth == 1)) <= set(kept)
    assert not np.isnan(truth[kept]).any()
    negatives, positives = int((truth == 0).sum()), int((truth == 1).sum())
    wanted = negatives if ratio == "all" else min(negatives, int(np.ceil(positives * ratio)))
    found = counts(truth, kept, hard)
    assert found["hard_negatives"] + found["easy_negatives"] == wanted
    if share is not None:
        hards = int(((truth == 0) & hard).sum())
        easies = negatives - hards
        assert found["hard_negatives"] == max(min(hards, round(wanted * share)), wanted - easies)
    assert kept.tolist() == sampled(truth, ratio, seed, hard=hard, hard_share=share).tolist()


def test_another_seed_chooses_others() -> None:
    truth = np.array([1.0] * 10 + [0.0] * 500, np.float32)
    assert sampled(truth, 1, 1).tolist() != sampled(truth, 1, 2).tolist()


def test_several_labels_count_together() -> None:
    facts = [fact({"a": 1, "b": 0}), fact({"a": 0, "b": 0}), fact({"a": 0}), fact({"a": None, "b": 1})]
    assert combined(facts, ("a", "b"))[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0]
    assert np.isnan(combined(facts, ("a", "b"))[2])


def test_hard_are_the_marked_other_domains_violations_and_what_the_domains_rules_hit() -> None:
    facts = [
        fact({"a": 0}, hard=True),
        fact({"a": 0, "other": 1}),
        fact({"a": 0, "other": 0}),
        fact({"a": 0}, hits=("pay",)),
        fact({"a": 0}, hits=("elsewhere",)),
        fact({"a": 1}),
    ]
    assert near_misses(facts, ("a",), ("pay",)).tolist() == [True, True, False, True, False, False]


def rules(kind: str) -> RuleSet:
    return RuleSet([message_rule(Match(any=("LINE",)), kind=kind, domain="pay", mode="shadow")])


def test_rules_are_asked_about_messages_and_listings() -> None:
    hits = RuleHits(rules("message"), "message")
    assert hits.domains(window("ＬＩＮＥで話そう")) == {"pay"}
    assert hits.domains(window("こんにちは")) == frozenset()
    goods = RuleHits(rules("listing"), "listing")
    assert goods.domains(listing("bag", description="LINE me", price=None)) == {"pay"}
    assert goods.domains(listing("bag")) == frozenset()


@pytest.mark.parametrize(
    "wrong", [{"negatives_per_positive": 0}, {"evaluation_negatives_per_positive": 0}, {"hard_share": 1.5}]
)
def test_impossible_ratios_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"above 0|0\.\.1"):
        Sampling(**wrong)
