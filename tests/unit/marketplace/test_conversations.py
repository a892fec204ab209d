"""Conversations: their labels follow the policy of docs/corpus.md, and context decides them."""

from collections import defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.conversations import LONGEST, TRAFFIC, TRAINING, Mix, conversation
from marketplace.grammar import Family
from marketplace.phrases import contact, harassment, payment
from marketplace.phrases import ordinary as o
from marketplace.scenarios import MESSAGE_DOMAINS, NEAR_MISSES, ORDINARY, PHASES, VIOLATIONS
from streams.events import STATUSES

ORDER = {status: place for place, status in enumerate((*PHASES, "cancelled"))}


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_shape_of_a_conversation(seed: int) -> None:
    turns = conversation(Random(seed), TRAINING)
    assert 1 <= len(turns) <= LONGEST
    assert all(turn.text.strip() for turn in turns)
    assert {turn.status for turn in turns} <= set(STATUSES)
    places = [ORDER[turn.status] for turn in turns]
    assert places == sorted(places)
    for turn in turns:
        assert set(turn.labels) == set(MESSAGE_DOMAINS)
        assert sum(turn.labels.values()) <= 1


def test_the_same_seed_gives_the_same_conversation() -> None:
    assert conversation(Random(5), TRAFFIC) == conversation(Random(5), TRAFFIC)
    assert conversation(Random(5), TRAFFIC) != conversation(Random(6), TRAFFIC)


def test_prevalence_follows_the_mix() -> None:
    rng = Random(3)
    found = defaultdict(int)
    conversations = [conversation(rng, Mix(violation_share=0.1, near_miss_share=0.1)) for _ in range(4000)]
    for turns in conversations:
        for domain in MESSAGE_DOMAINS:
            found[domain] += any(turn.labels[domain] for turn in turns)
    for domain in MESSAGE_DOMAINS:
        assert found[domain] / len(conversations) == pytest.approx(0.1, abs=0.02)
    assert not any(
        any(turn.labels.values()) for _ in range(500) for turn in conversation(rng, Mix(violation_share=0.0))
    )


@pytest.mark.parametrize(("violation", "near_miss"), [(-0.1, 0.1), (0.3, 0.3)])
def test_impossible_mixes_are_refused(violation: float, near_miss: float) -> None:
    with pytest.raises(ValueError, match="shares"):
        Mix(violation, near_miss)


def test_the_same_words_violate_in_one_place_and_not_in_another() -> None:
    """Families whose utterances carry both labels: what a model without context cannot tell apart."""
    labels: dict[str, set[str | None]] = defaultdict(set)
    exchanges = [
        *ORDINARY,
        *(e for kinds in (VIOLATIONS, NEAR_MISSES) for group in kinds.values() for e in group),
    ]
    for exchange in exchanges:
        for beat in exchange.beats:
            labels[beat.family.name].add(beat.violates)
    ambiguous: list[tuple[Family, str]] = [
        (o.ACCEPT, "off_platform_payment"), (o.PAID, "off_platform_payment"),
        (payment.PUSH, "off_platform_payment"), (payment.BANK_DETAILS, "off_platform_payment"),
        (contact.BARE, "contact_exchange"), (contact.ADDRESS, "contact_exchange"),
        (contact.ASK_ADDRESS, "contact_exchange"), (harassment.POINTED, "harassment"),
    ]  # fmt: skip
    for family, domain in ambiguous:
        assert {None, domain} <= labels[family.name], family.name


def test_near_misses_and_ordinary_exchanges_violate_nothing() -> None:
    for exchange in (*ORDINARY, *(e for group in NEAR_MISSES.values() for e in group)):
        assert all(beat.violates is None for beat in exchange.beats)
    for domain, group in VIOLATIONS.items():
        for exchange in group:
            assert {beat.violates for beat in exchange.beats} - {None} == {domain}
