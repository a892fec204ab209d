"""Champion against challenger: by hand, against exact probabilities, and what is recommended when."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.policy import Domain, ModelRef, Trial
from streams.review.book import DAY_US, Book
from streams.review.comparison import Comparison, compared
from streams.review.contest import NO_LIMIT, Depth, Groups, depth_of, difference
from streams.review.top import Top
from streams.review.verdicts import VerdictWord
from streams.review.watched import Watched
from tests.unit.review.making import DAY, alerted, at, by_model, verdict

OLD, NEW = ModelRef("message_contact", 3, 0.5), ModelRef("message_contact", 4, 0.6)


def domain(mode: Trial = Trial(), *, a_day: int | None = 8, adaptive: bool = False) -> Domain:  # noqa: B008 - frozen
    budget = "adaptive" if adaptive else "fixed"
    return Domain("contact", "Contact", "message", "high", OLD, NEW, a_day, mode, budget)


class Market:
    """A book filled alert by alert: `C` by the champion, `N` by the challenger, `B` by both; v, n or - as verdict."""

    def __init__(self) -> None:
        self.book = Book()
        self._number = 0

    def add(self, who: str, word: str, *, score: float = 0.9, day: int = 0, times: int = 1) -> Market:
        by = {"C": [by_model(score)], "N": [by_model(score, version=4, role="challenger")]}
        for _ in range(times):
            self._number += 1
            name = f"a{self._number:05}"
            raised = by["C"] + by["N"] if who == "B" else by[who]
            self.book.add_alert(alerted(name, *raised, day=day))
            if word != "-":
                spoken: VerdictWord = "violation" if word == "v" else "no_violation"
                self.book.add_verdict(name, verdict(spoken, day=day))
        return self

    def compare(self, of: Domain, *, days: int = 1) -> Comparison:
        return compared(of, self.book, None, since_us=DAY * DAY_US, until_us=at(days))


def test_a_doubly_raised_alert_counts_for_both() -> None:
    market = Market().add("B", "v", times=2).add("C", "n").add("N", "v").add("N", "-")
    found = market.compare(domain()).found
    assert found.groups == Groups(Top(2, 2, 2), Top(1, 1, 0), Top(2, 1, 1))
    assert (found.champion.precision.value, found.champion.precision.of) == (pytest.approx(2 / 3), 3)
    assert (found.challenger.precision.value, found.challenger.precision.of) == (1.0, 3)
    assert found.groups.overlap == pytest.approx(2 / 5)


def test_only_the_first_half_of_the_budget_of_each_day_counts() -> None:
    market = Market()
    for day in (0, 1):
        for score, word in ((0.99, "v"), (0.98, "v"), (0.97, "n"), (0.96, "n"), (0.95, "n")):
            market.add("C", word, score=score, day=day)
        market.add("N", "v", score=0.9, day=day)
    found = market.compare(domain(a_day=5), days=2).found
    assert (found.champion.k, found.champion.alerts, found.champion.precision.value) == (2, 4, 1.0)
    everything = market.compare(domain(a_day=None), days=2).found
    assert (everything.champion.alerts, everything.champion.precision.value) == (10, pytest.approx(0.4))


def test_nothing_counts_from_before_both_were_there() -> None:
    market = Market().add("C", "n", times=5).add("C", "v", day=2, times=3).add("N", "v", day=2)
    found = market.compare(domain(), days=3)
    assert (found.found.champion.alerts, found.found.champion.precision.value) == (3, 1.0)
    assert found.since_us == at(2, 1)


@pytest.mark.parametrize("mode", [Trial(), Trial("shadow")])
def test_a_trial_is_not_dated_before_the_challenger_has_anything(mode: Trial) -> None:
    market = Market().add("C", "n", times=60, day=1)
    watched = Watched("contact", NEW) if mode.mode == "shadow" else None
    found = compared(domain(mode), market.book, watched, since_us=DAY * DAY_US, until_us=at(3))
    assert found.since_us is None
    assert (found.found.champion.alerts, found.found.difference) == (0, None), "nothing is compared"
    assert "the challenger has not scored or raised anything yet" in found.recommendation.reason


def test_other_versions_and_other_domains_do_not_count() -> None:
    market = Market().add("C", "v").add("N", "v")
    market.book.add_alert(alerted("x", by_model(0.99, version=2)))
    market.book.add_alert(alerted("y", by_model(0.99), domain="harassment"))
    assert market.compare(domain()).found.champion.alerts == 1


def test_the_depth_follows_the_budget_and_the_trial() -> None:
    assert depth_of(domain(a_day=500)) == Depth(250, 250)
    assert depth_of(domain(Trial("shadow"), a_day=500)) == Depth(500, 500)
    assert depth_of(domain(Trial("canary", 0.1), a_day=500)) == Depth(450, 50)
    assert depth_of(domain(Trial("canary", 0.0), a_day=500)) == Depth(500, 1)
    assert depth_of(domain(a_day=None)) == Depth(NO_LIMIT, NO_LIMIT)


def test_the_probability_is_that_of_two_beta_distributions() -> None:
    """No overlap: P(Beta(8.5, 2.5) > Beta(5.5, 5.5)), integrated numerically."""
    from scipy import integrate, stats

    exact, _ = integrate.quad(lambda p: stats.beta.pdf(p, 8.5, 2.5) * stats.beta.cdf(p, 5.5, 5.5), 0, 1)
    found = difference(Groups(Top(0, 0, 0), Top(20, 10, 5), Top(20, 10, 8)))
    assert found is not None
    assert found.better == pytest.approx(exact, abs=0.005)  # three deviations of 100,000 draws
    assert found.mean == pytest.approx(8.5 / 11 - 5.5 / 11, abs=0.005)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=3))
def test_swapping_the_two_turns_the_difference_round(tops: list[tuple[int, float, float]]) -> None:
    both, ours, theirs = (
        Top(alerts, judged := int(alerts * share), int(judged * right)) for alerts, share, right in tops
    )
    forth, back = difference(Groups(both, ours, theirs)), difference(Groups(both, theirs, ours))
    assert (forth is None) == (back is None)
    if forth is not None and back is not None:
        assert forth.mean == pytest.approx(-back.mean, abs=0.01)
        assert forth.low <= forth.mean <= forth.high
        if ours.alerts or theirs.alerts:
            assert forth.better == pytest.approx(1 - back.better, abs=0.02)


def test_what_both_raise_makes_nobody_better() -> None:
    """However badly it goes for both, only what one of them raised alone tells them apart."""
    alone = Top(100, 100, 60), Top(100, 100, 80)
    for violations in (0, 1000):
        found = difference(Groups(Top(1000, 1000, violations), *alone))
        assert found is not None
        assert found.mean == pytest.approx(0.2 * 100 / 1100, abs=0.002)
        assert found.better > 0.99


def test_a_clearly_better_challenger_is_to_be_promoted() -> None:
    market = Market().add("B", "v", times=60).add("C", "n", times=30).add("C", "v", times=10)
    market.add("N", "v", times=30).add("N", "n", times=10)
    advice = market.compare(domain(a_day=200)).recommendation
    assert (advice.advice, advice.verdicts_needed) == ("promote", None)


def test_a_worse_one_is_not() -> None:
    market = Market().add("B", "v", times=60).add("C", "v", times=40).add("N", "n", times=40)
    advice = market.compare(domain(a_day=200)).recommendation
    assert advice.advice == "keep"
    assert "the champion is better" in advice.reason


def test_two_that_are_alike_end_the_trial() -> None:
    market = Market().add("B", "v", times=2000).add("C", "v", times=40).add("N", "v", times=40)
    advice = market.compare(domain(a_day=5000)).recommendation
    assert (advice.advice, "differ by less than 0.02" in advice.reason) == ("keep", True)
    same = Market().add("B", "v", times=60).compare(domain(a_day=200)).recommendation
    assert (same.advice, "raise the same alerts" in same.reason) == ("keep", True)


def test_as_long_as_it_is_open_the_missing_verdicts_are_told() -> None:
    market = Market().add("B", "v", times=30).add("C", "v", times=20).add("C", "n", times=20)
    market.add("N", "v", times=24).add("N", "n", times=16)
    advice = market.compare(domain(a_day=200)).recommendation
    assert advice.advice == "wait"
    assert advice.verdicts_needed is not None
    assert 200 < advice.verdicts_needed < 500, "0.1 · 40 / 70 apart, with a deviation of about 0.063"


@pytest.mark.parametrize(
    ("market", "mode", "reason"),
    [
        (
            Market().add("C", "v", times=60).add("N", "v", times=60),
            Trial("shadow"),
            "a shadow raises no alerts",
        ),
        (Market().add("C", "v", times=60), Trial(), "the challenger has not scored or raised anything yet"),
        (Market().add("N", "v", times=60), Trial(), "the champion has not scored or raised anything yet"),
        (
            Market().add("C", "v", times=60).add("N", "v", day=1, times=60),
            Trial(),
            "the champion has raised no alert since both were there",
        ),
        (Market(), Trial(), "neither of the two has scored or raised anything yet"),
        (
            Market().add("C", "v", times=90).add("N", "v", times=50),
            Trial(),
            "who raises fewer is more precise",
        ),
        (Market().add("C", "v", times=60).add("N", "-", times=60), Trial(), "only 0 alerts are judged"),
    ],
)
def test_what_stands_in_the_way_is_said(market: Market, mode: Trial, reason: str) -> None:
    advice = market.compare(domain(mode, a_day=200), days=2).recommendation
    assert advice.advice == "wait"
    assert reason in advice.reason


def test_in_a_canary_each_is_measured_by_its_part_of_the_traffic() -> None:
    market = Market().add("C", "n", times=900, score=0.7).add("N", "v", times=100, score=0.7)
    found = market.compare(domain(Trial("canary", 0.1), a_day=1000))
    assert (found.found.champion.k, found.found.challenger.k) == (900, 100)
    assert found.recommendation.advice == "promote", "100 of 900 is no less than its part"


def test_an_adaptive_threshold_is_the_one_that_it_alerts_by_now() -> None:
    market = Market().add("C", "v").add("N", "v", day=1)
    assert market.compare(domain(), days=2).challenger == NEW
    moved = market.compare(domain(adaptive=True), days=2)
    assert (moved.champion, moved.challenger) == (OLD, ModelRef("message_contact", 4, 0.5))


def test_a_domain_without_a_challenger_cannot_be_compared() -> None:
    alone = Domain("contact", "Contact", "message", "high", OLD)
    with pytest.raises(ValueError, match="contact has no challenger"):
        compared(alone, Book(), None, since_us=0, until_us=1)
