"""Which events become examples, and with which labels."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from models.labels.collecting import Collector, Wanted
from models.labels.reviewing import Reviews
from tests.unit.models.labels.history import (
    DOMAINS,
    Record,
    decision,
    identity,
    listing_identity,
    listing_prediction,
    prediction,
    raised,
    rule,
    score,
)

WANTED = Wanted({"message": DOMAINS, "listing": ("counterfeit",)}, unflagged_per_violation=2.0)


def collected(
    predictions: Sequence[bytes],
    decisions: Sequence[Record] = (),
    alerts: Sequence[Record] = (),
    wanted: Wanted = WANTED,
) -> Collector:
    reviews = Reviews()
    reviews.take_decisions(decisions)
    reviews.take_alerted(alerts)
    collector = Collector(reviews.so_far(), wanted)
    for value in predictions:
        collector.add(value)
    return collector


def only(collector: Collector):
    (chosen,) = collector.chosen("message")
    return chosen.labels


HARASSED = prediction("バカ", scores=[score("harassment", 0.95), score("contact_exchange", 0.1)])
HARASSMENT = identity("バカ", "harassment")


def test_a_verdict_speaks_of_its_domain_and_of_no_other() -> None:
    labels = only(collected([HARASSED], [decision(HARASSMENT, "violation")]))
    assert labels.values == {"contact_exchange": None, "harassment": 1}
    assert labels.sources == {"harassment": "alert"}
    assert not labels.hard


def test_an_alert_that_was_none_is_a_hard_negative() -> None:
    labels = only(collected([HARASSED], [decision(HARASSMENT, "no_violation")]))
    assert labels.values["harassment"] == 0
    assert labels.hard


@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ([], "unjudged"),
        ([decision(HARASSMENT, "unsure")], "unsure"),
        ([decision(HARASSMENT, "violation", hours=1), decision(HARASSMENT, "unsure", hours=2)], "unsure"),
    ],
)
def test_alerts_without_a_verdict_are_no_examples(decisions: list[Record], reason: str) -> None:
    collector = collected([HARASSED], decisions)
    assert collector.chosen("message") == []
    assert collector.counted["message"].left_out == {reason: 1}


def test_contradicted_verdicts_count_as_the_newest_says_or_not_at_all() -> None:
    decisions = [decision(HARASSMENT, "violation", hours=2), decision(HARASSMENT, "no_violation", hours=1)]
    labels = only(collected([HARASSED], decisions))
    assert labels.values["harassment"] == 1
    assert labels.contradicted == ("harassment",)
    without = Wanted(WANTED.domains, with_contradicted=False)
    collector = collected([HARASSED], decisions, wanted=without)
    assert collector.chosen("message") == []
    assert collector.counted["message"].left_out == {"contradicted": 1}


def test_one_domain_of_two_may_be_judged() -> None:
    both = prediction("LINEでバカ", rules=[rule("contact_exchange")], scores=[score("harassment", 0.99)])
    decisions = [
        decision(identity("LINEでバカ", "harassment"), "unsure"),
        decision(identity("LINEでバカ", "contact_exchange"), "no_violation"),
    ]
    labels = only(collected([both], decisions))
    assert labels.values == {"contact_exchange": 0, "harassment": None}


QUIET = prediction("こんにちは", scores=[score("harassment", 0.2)])
PATROLLED = identity("こんにちは", "patrol")


def test_a_patrol_that_found_nothing_clears_every_domain() -> None:
    labels = only(collected([QUIET], [decision(PATROLLED, "no_violation")]))
    assert labels.values == {"contact_exchange": 0, "harassment": 0}
    assert set(labels.sources.values()) == {"patrol"}
    assert not labels.hard


def test_a_patrol_that_found_something_speaks_of_the_domain_it_names() -> None:
    labels = only(collected([QUIET], [decision(PATROLLED, "violation", domain="harassment")]))
    assert labels.values == {"contact_exchange": None, "harassment": 1}


@pytest.mark.parametrize("named", [None, "counterfeit", "of_last_year"])
def test_a_patrol_that_names_no_domain_of_the_kind_is_left_out(named: str | None) -> None:
    collector = collected([QUIET], [decision(PATROLLED, "violation", domain=named)])
    assert collector.chosen("message") == []
    assert collector.counted["message"].left_out == {"names_no_domain": 1}


def test_a_verdict_on_the_domains_own_alert_outweighs_a_patrols() -> None:
    decisions = [
        decision(PATROLLED, "no_violation", hours=9),
        decision(identity("こんにちは", "harassment"), "violation", hours=1),
    ]
    labels = only(collected([QUIET], decisions))
    assert labels.values == {"contact_exchange": 0, "harassment": 1}
    assert labels.sources == {"contact_exchange": "patrol", "harassment": "alert"}


def quiet(count: int) -> list[bytes]:
    return [prediction("ok", transaction=f"q{n}", offset=n, hours=n / 10) for n in range(count)]


def test_unflagged_events_come_in_proportion_and_stand_for_all_of_them() -> None:
    collector = collected([HARASSED, *quiet(30)], [decision(HARASSMENT, "violation")])
    easy = [one for one in collector.chosen("message") if one.labels.sources["harassment"] == "unflagged"]
    assert len(easy) == 2
    assert all(one.labels.values == {"contact_exchange": 0, "harassment": 0} for one in easy)
    assert [one.weight for one in easy] == [15.0, 15.0]


def test_the_same_unflagged_events_whatever_the_order() -> None:
    records = [HARASSED, *quiet(30)]
    decisions = [decision(HARASSMENT, "violation")]
    expected = collected(records, decisions).chosen("message")
    random.Random(3).shuffle(records)
    assert collected(records, decisions).chosen("message") == expected


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (prediction("x", transaction="q", rules=[rule("harassment", "shadow")]), "in_doubt"),
        (prediction("x", transaction="q", scores=[score("harassment", 0.95, decides=False)]), "in_doubt"),
        (prediction("x", transaction="q", scores=[score("harassment", None)]), "in_doubt"),
        (prediction("x", transaction="q", notes=["models_unavailable"]), "in_doubt"),
        (prediction("x", number=7), "near_alert"),
    ],
)
def test_what_something_spoke_against_is_no_easy_negative(record: bytes, reason: str) -> None:
    alerts = [raised(HARASSMENT, "harassment", transaction="t1")]
    collector = collected([HARASSED, record], [decision(HARASSMENT, "violation")], alerts)
    assert len(collector.chosen("message")) == 1
    assert collector.counted["message"].left_out == {reason: 1}


def test_a_reported_event_that_nobody_has_judged_is_no_easy_negative() -> None:
    reported = raised(identity("ok", "harassment", transaction="q1"), "harassment", transaction="q1")
    records = [HARASSED, prediction("ok", transaction="q1")]
    collector = collected(records, [decision(HARASSMENT, "violation")], [reported])
    assert len(collector.chosen("message")) == 1
    assert collector.counted["message"].left_out == {"unjudged": 1}


def test_an_alert_that_only_its_prediction_tells_of_keeps_its_transaction_out() -> None:
    beside = prediction("ok", number=9)
    collector = collected([beside, HARASSED], [decision(HARASSMENT, "violation")])
    assert len(collector.chosen("message")) == 1


def test_repeated_predictions_are_one_example_as_it_was_first() -> None:
    again = prediction("バカ", hours=5, offset=8, scores=[score("harassment", 0.99)])
    collector = collected([again, HARASSED], [decision(HARASSMENT, "violation")])
    (chosen,) = collector.chosen("message")
    assert chosen.prediction.source.offset == 0
    assert collector.counted["message"].repeated == 1


def test_load_tests_and_unreadable_records_are_counted_and_left_out() -> None:
    stress = prediction(
        "バカ", transaction="stress-20261121T180000Z-3f9a1c-7", scores=[score("harassment", 0.95)]
    )
    collector = collected([stress, b"{}", b"", HARASSED], [decision("somebody else's", "violation")])
    assert collector.chosen("message") == []
    assert collector.counted["message"].of_load_tests == 1
    assert collector.unreadable == 2
    assert collector.undecided == 1


def test_listings_are_joined_like_messages() -> None:
    records = [listing_prediction("コピー品", price=100.0), listing_prediction("鞄", listing="l2")]
    fake = listing_identity("コピー品", "counterfeit", price=100.0)
    chosen = collected(records, [decision(fake, "violation")]).chosen("listing")
    assert [one.labels.values for one in chosen] == [{"counterfeit": 1}, {"counterfeit": 0}]
    assert chosen[1].labels.sources == {"counterfeit": "unflagged"}
