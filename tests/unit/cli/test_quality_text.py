"""The table of `sekisho quality` as people read it; the expected text stands beside this file."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from streams import metrics
from streams.agents.quality_gauges import samples_of
from streams.cli.quality_text import quality_text
from streams.review.alerted import ByPatrol, ByReport, ByRule
from streams.review.book import Book
from streams.review.intake import Taken
from streams.review.page import page_of
from streams.review.quality import Budgets, Quality, quality_of
from streams.review.verdicts import VerdictWord
from streams.vocabulary import Kind
from tests.unit.review.making import alerted, at, by_model, verdict

HERE = Path(__file__).parent


def shown(quality: Quality, taken: Taken) -> str:
    console = Console(width=40, force_terminal=False, highlight=False, soft_wrap=True)
    with console.capture() as capture:
        console.print(quality_text(quality, taken))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def week() -> Quality:
    """Forty alerts of two domains over five days, with reports and a patrol, some judged and some oddly."""
    book = Book()
    words: tuple[VerdictWord | None, ...] = ("violation", "violation", "no_violation", None, "unsure")
    for number in range(40):
        alert_id, word = f"a{number}", words[number % 5]
        raised = [by_model(0.5 + number / 100)]
        if number % 2:
            raised.append(by_model(0.6, version=4, role="challenger"))
        by = [ByRule(f"contact.rule\u202e{number % 3}"), *raised] if number % 4 == 0 else raised
        book.add_alert(alerted(alert_id, *by, day=number % 5, hour=number % 24))
        if word:
            book.add_verdict(alert_id, verdict(word, day=5))
    book.add_alert(alerted("r", ByReport("p1"), domain="abuse"))
    book.add_alert(alerted("p", ByPatrol(0.001), domain="patrol"))
    book.add_verdict("p", verdict("no_violation", day=1))
    book.add_verdict("a0", verdict("no_violation", day=2))
    book.add_verdict("nobody", verdict("violation"))
    kinds: dict[str, Kind] = {"contact": "message", "counterfeit": "listing"}
    return quality_of(
        book, Budgets({"contact": 4}, {"contact": 2}, kinds), since_us=at(0), until_us=at(5, 12)
    )


def test_the_table_is_as_approved() -> None:
    found = shown(week(), Taken(alerts=42, unreadable=1, decisions=40, unusable=2))

    assert found == (HERE / "quality_text.approved.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("drawn_word", "word", "missing"),
    [
        (None, "violation", "no verdict yet on what was drawn; 0 violations of it in 0 judged of 1 drawn"),
        ("no_violation", None, "not known, no verdict yet on the domain's alerts; 0 violations of it in 1"),
        (
            "no_violation",
            "no_violation",
            "not known, no violation among the verdicts on the domain's alerts; 0",
        ),
    ],
)
def test_a_recall_that_is_not_known_says_which_verdicts_are_missing(
    drawn_word: VerdictWord | None, word: VerdictWord | None, missing: str
) -> None:
    book = Book()
    book.add_alert(alerted("a", by_model(0.9)))
    book.add_alert(alerted("p", ByPatrol(0.001), domain="patrol"))
    for alert_id, said in (("a", word), ("p", drawn_word)):
        if said:
            book.add_verdict(alert_id, verdict(said, day=1))
    found = quality_of(book, Budgets(kinds={"contact": "message"}), since_us=at(0), until_us=at(2))
    assert f"recall of contact, by the random patrol: {missing}" in shown(found, Taken())


def test_a_patrols_violation_without_a_domain_is_counted_where_people_and_programs_look() -> None:
    book = Book()
    book.add_alert(alerted("p", ByPatrol(0.001), domain="patrol"))
    book.add_verdict("p", verdict("violation", day=1))
    found = quality_of(book, Budgets(kinds={"contact": "message"}), since_us=at(0), until_us=at(2))
    assert "the patrol's violations whose decision names no domain of their kind" in shown(found, Taken())
    assert page_of(found, Taken())["decisions"]["patrol_without_domain"] == 1  # type: ignore[index]
    assert samples_of(found, Taken())[metrics.QUALITY_ODD_DECISIONS, ("patrol_without_domain",)] == 1.0


def test_without_alerts_it_says_so() -> None:
    nothing = quality_of(Book(), Budgets(), since_us=at(0), until_us=at(1))

    assert shown(nothing, Taken()) == "no alerts from 2026-11-01 00:00 to 2026-11-02 00:00 UTC\n"


def test_the_page_has_every_figure_of_the_table() -> None:
    page = page_of(week(), Taken(unusable=2))

    contact, abuse = page["domains"]["contact"], page["domains"]["abuse"]  # type: ignore[index]
    assert (contact["alerts"], contact["pending"], contact["unsure"]) == (40, 8, 8)
    assert contact["precision"]["value"] == round(16 / 24, 4)
    assert [(m["version"], m["role"]) for m in contact["models"]] == [("3", "champion"), ("4", "challenger")]
    assert contact["models"][0]["precision_at_k"]["k"] == 2
    assert sorted(rule["alerts"] for rule in contact["rules"]) == [3, 3, 4]
    assert abuse["reports"]["pending"] == 1
    assert page["recall"]["contact"]["judged"] == 1  # type: ignore[index]
    assert page["patrol"]["no_violation"] == 1  # type: ignore[index]
    assert page["decisions"] == {
        "again": 1,
        "contradicted": 1,
        "early": 0,
        "unknown": 1,
        "patrol_without_domain": 0,
        "repeated": 0,
        "unusable": 2,
    }
