"""The worker's book: what is shown and exposed is what was counted, and an error in it is shown and stops nothing."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from streams import metrics
from streams.agents.gauges import ShownGauges
from streams.agents.quality_gauges import MOST_SOURCES, samples_of
from streams.agents.review_desk import ReviewDesk
from streams.policy import Domain, ModelRef, Policy, policy_of
from streams.review.alerted import ByPatrol, ByRule
from streams.review.book import Book
from streams.review.intake import Taken
from streams.review.quality import Budgets, Quality, quality_of
from streams.settings import Settings
from tests.unit.agents.waiting import until
from tests.unit.review.making import alerted, at, by_model, verdict


def policy(alerts_per_day: int) -> Policy:
    champion = ModelRef("message_contact", 3, 0.5)
    return policy_of({"contact": Domain("contact", "t", "message", "low", champion, None, alerts_per_day)})


def quality(book: Book) -> Quality:
    return quality_of(book, Budgets(), since_us=at(0), until_us=at(9))


def exposed(metric: str, /, **labels: str) -> float | None:
    source = {"domain": "contact", "by": "domain", "name": "", "version": "", "role": ""}
    return REGISTRY.get_sample_value(f"sekisho_quality_{metric}", {**source, **labels})


async def trouble_of(desk: ReviewDesk) -> str:
    """The trouble that the page shows, once it shows any."""
    async with asyncio.timeout(30):
        while True:
            trouble = desk.page()["reading"]["trouble"]
            if trouble is not None:
                return str(trouble)
            await asyncio.sleep(0.01)


async def test_days_are_counted_again_when_they_or_the_budget_change() -> None:
    budget, now_us = [1], [at(3)]
    desk = ReviewDesk(Settings(review_days=2), policy=lambda: policy(budget[0]), now_us=lambda: now_us[0])
    for number, score in enumerate((0.9, 0.8)):
        desk.book.add_alert(alerted(f"a{number}", by_model(score), day=2))
    desk.book.add_alert(alerted("old", by_model(0.7), day=0))
    desk.book.add_verdict("a0", verdict("violation", day=2))
    desk.book.add_verdict("a1", verdict("no_violation", day=2))

    await desk.count()
    contact = desk.page()["domains"]["contact"]
    assert (contact["alerts"], contact["precision"]["value"]) == (2, 0.5), "the old one is beyond the horizon"
    assert contact["precision_at_k"]["value"] == 1.0

    budget[0] = 2
    desk.book.add_verdict("a1", verdict("unsure", day=2, hour=9))
    await desk.count()
    contact = desk.page()["domains"]["contact"]
    assert (contact["precision"]["value"], contact["precision_at_k"]["k"]) == (1.0, 2)
    assert contact["unsure"] == 1

    now_us[0] = at(6)
    await desk.count()
    assert desk.page()["domains"] == {}
    assert len(desk.book) == 0


def test_before_anything_was_read_the_page_says_so() -> None:
    desk = ReviewDesk(Settings(), policy=lambda: policy(1), now_us=lambda: at(3))

    assert desk.page() == {
        "reading": {"caught_up": False, "read": 0, "behind": None, "newest_at": None, "trouble": None}
    }


async def test_a_bad_round_of_counting_is_logged_and_shown_and_the_next_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = asyncio.Event()

    def at_first_broken() -> Policy:
        if not good.is_set():
            raise RuntimeError("no policy")
        return policy_of({})  # no budgets: nothing else has the day counted again

    desk = ReviewDesk(Settings(broker="127.0.0.1:1"), policy=at_first_broken, now_us=lambda: at(3))
    desk.book.add_alert(alerted("a", by_model(0.9), day=2))
    desk.start()
    try:
        await until(lambda: "no policy" in str(desk.page()["reading"]["trouble"]))
        good.set()
        await until(lambda: "domains" in desk.page())
    finally:
        await desk.stop()

    assert desk.page()["domains"]["contact"]["alerts"] == 1, "the day that a bad round left is counted"
    assert "no policy" not in str(desk.page()["reading"]["trouble"])
    assert "quality is no longer counted by this worker, until a round succeeds" in caplog.text


async def test_a_broker_that_does_not_answer_is_shown_and_tried_again() -> None:
    desk = ReviewDesk(Settings(broker="127.0.0.1:1"), policy=lambda: policy(1), now_us=lambda: at(3))
    desk.start()
    try:
        assert "127.0.0.1:1" in await trouble_of(desk)
    finally:
        await desk.stop()


def test_gauges_show_what_was_counted_and_nothing_that_is_gone() -> None:
    book, gauges = Book(), ShownGauges()
    book.add_alert(alerted("a", ByRule("r1"), by_model(0.9)))
    gauges.show(samples_of(quality(book), Taken(unusable=3)))
    assert exposed("alerts", verdict="pending") == 1
    assert exposed("precision", bound="value") is None
    assert exposed("alerts", by="rule", name="r1", verdict="pending") == 1
    assert REGISTRY.get_sample_value("sekisho_quality_odd_decisions", {"what": "unusable"}) == 3

    book.add_verdict("a", verdict("violation"))
    gauges.show(samples_of(quality(book), Taken()))
    assert (exposed("alerts", verdict="pending"), exposed("alerts", verdict="violation")) == (0, 1)
    model = {"by": "model", "name": "message_contact", "version": "3", "role": "champion"}
    assert exposed("precision", **model, bound="value") == 1.0
    assert exposed("precision", bound="low") == pytest.approx(0.2065, abs=1e-4)  # Wilson, 1 of 1

    gauges.show(samples_of(quality(Book()), Taken()))
    assert exposed("alerts", verdict="violation") is None
    assert exposed("precision", **model, bound="value") is None


def test_recall_is_exposed_where_the_patrol_found_anything_out() -> None:
    book, gauges = Book(), ShownGauges()
    book.add_alert(alerted("a", by_model(0.9)))
    book.add_alert(alerted("p", ByPatrol(0.5), domain="patrol"))
    book.add_verdict("a", verdict("violation"))
    budgets = Budgets(kinds={"contact": "message"})

    def labels() -> list[tuple[str, ...]]:
        found = quality_of(book, budgets, since_us=at(0), until_us=at(9))
        gauges.show(samples_of(found, Taken()))
        return [labels for gauge, labels in samples_of(found, Taken()) if gauge is metrics.QUALITY_RECALL]

    assert labels() == []
    book.add_verdict("p", verdict("no_violation"))
    assert labels() == [("contact", bound) for bound in ("value", "low", "high")]
    assert REGISTRY.get_sample_value("sekisho_quality_recall", {"domain": "contact", "bound": "high"}) == 1.0


def test_series_are_bounded_and_rules_give_way_to_domains_and_models() -> None:
    book = Book()
    for number in range(MOST_SOURCES + 50):
        book.add_alert(alerted(f"a{number}", ByRule(f"r{number}"), domain="abuse"))
    book.add_alert(alerted("b", by_model(0.9)))

    shown = samples_of(quality(book), Taken())

    sources = {labels[:5] for gauge, labels in shown if len(labels) > 1}
    assert len(sources) == MOST_SOURCES
    assert {domain for domain, by, *_ in sources if by == "domain"} == {"abuse", "contact"}
    assert ("contact", "model", "message_contact", "3", "champion") in sources
