"""The book is the same whatever the order and the repeats of what it is told, and counts what is odd."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.review.alerted import Alerted, ByReport, ByRule
from streams.review.book import Book, Case
from streams.review.quality import Budgets, Odd, Quality, quality_of
from streams.review.verdicts import KEPT_DECISIONS, Verdict
from tests.unit.review.making import DAY, alerted, at, by_model, verdict

Entry = Callable[[Book], object]

_IDS = st.sampled_from(["a", "b", "c", "d"])
_WORDS = st.sampled_from(["violation", "no_violation", "unsure"])
_ALERTS = st.builds(
    alerted,
    _IDS,
    st.sampled_from([ByRule("r1"), ByRule("r2"), by_model(0.6), by_model(0.9, version=4), ByReport("c1")]),
    day=st.integers(0, 3),
    hour=st.integers(0, 23),
    revision=st.sampled_from([1, 2, 3, 1_000, 1_001, 2_000]),
)
_VERDICTS = st.tuples(
    _IDS,
    st.builds(
        verdict, _WORDS, day=st.integers(0, 4), hour=st.integers(0, 3), moderator=st.sampled_from("xy")
    ),
)


def book_of(entries: list[Alerted | tuple[str, Verdict]]) -> Book:
    book = Book()
    for entry in entries:
        if isinstance(entry, Alerted):
            book.add_alert(entry)
        else:
            book.add_verdict(*entry)
    return book


def state(book: Book) -> tuple[list[Case], int, list[int]]:
    cases = sorted(book.all_cases(), key=lambda case: case.fact.alert_id)
    return cases, book.unknown, book.days


def found_in(book: Book) -> Quality:
    return quality_of(book, Budgets(), since_us=at(0), until_us=at(9))


@given(st.lists(st.one_of(_ALERTS, _VERDICTS), max_size=30), st.data())
def test_order_and_repeats_do_not_matter(
    entries: list[Alerted | tuple[str, Verdict]], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(entries))) if entries else []
    shuffled = data.draw(st.permutations(entries + again))

    assert state(book_of(shuffled)) == state(book_of(entries))


@given(st.lists(st.one_of(_ALERTS, _VERDICTS), max_size=30), st.integers(0, 4))
def test_what_is_forgotten_stays_forgotten(entries: list[Alerted | tuple[str, Verdict]], day: int) -> None:
    forgetful = book_of(entries)
    forgetful.forget(at(day, 5))
    for entry in entries:
        if isinstance(entry, Alerted):
            forgetful.add_alert(entry)

    assert all(case.fact.day >= DAY + day for case in forgetful.all_cases())
    kept = {case.fact.alert_id for case in book_of(entries).all_cases() if case.fact.day >= DAY + day}
    assert kept <= {case.fact.alert_id for case in forgetful.all_cases()}


def test_the_newest_decision_counts_and_a_tie_goes_by_name_and_word() -> None:
    book = Book()
    book.add_alert(alerted("a"))
    book.add_verdict("a", verdict("violation", hour=3))
    book.add_verdict("a", verdict("no_violation", hour=2))
    (case,) = book.all_cases()
    assert case.verdict == "violation"

    book.add_verdict("a", verdict("unsure", hour=3, moderator="mod-2"))
    (case,) = book.all_cases()
    assert case.verdict == "unsure"


def test_a_decision_waits_for_its_alert() -> None:
    book = Book()
    book.add_verdict("a", verdict("violation"))
    assert (len(book), book.unknown) == (0, 1)

    book.add_alert(alerted("a"))

    (case,) = book.all_cases()
    assert (case.verdict, book.unknown) == ("violation", 0)


def test_a_higher_revision_replaces_a_lower_one_also_on_another_day() -> None:
    book = Book()
    book.add_alert(alerted("a", ByRule("r1"), by_model(0.9), day=1, revision=2))
    book.add_alert(alerted("a", ByRule("r1"), day=0, revision=1))

    (case,) = book.all_cases()
    assert case.fact.raised_by == (ByRule("r1"), by_model(0.9))
    assert book.days == [DAY], "it was raised then; the revision changed what is known of it"


def test_an_event_that_is_sent_again_does_not_move_its_alert() -> None:
    book = Book()
    for day in (3, 1, 2):
        book.add_alert(alerted("a", by_model(0.9 + day / 100), day=day))
    book.add_verdict("a", verdict("violation", day=2))

    (case,) = book.all_cases()
    assert (case.fact.day, case.fact.score) == (DAY + 1, 0.93), "raised first, and what the last record says"
    assert found_in(book).odd == Odd(), "the verdict is not older than the alert"

    book.forget(at(2))
    (case,) = book.all_cases()
    assert (case.fact.day, case.verdict) == (DAY + 3, "violation"), "what a worker reads that begins now"
    book.forget(at(4))
    assert len(book) == 0


def test_a_report_joins_the_alert_and_leaves_it_where_it_was() -> None:
    book = Book()
    book.add_alert(alerted("a", by_model(0.9), day=0))
    book.add_alert(alerted("a", ByReport("c1"), day=2, revision=1_000))
    book.add_verdict("a", verdict("violation", day=2))

    (case,) = book.all_cases()
    assert case.fact.raised_by == (by_model(0.9), ByReport("c1"))
    assert (case.fact.day, case.fact.score, case.verdict) == (DAY, 0.9, "violation")

    book.add_alert(alerted("a", by_model(0.95), by_model(0.8, version=4), day=1, revision=2))
    book.add_alert(alerted("a", ByReport("c2"), day=3, revision=2_000))
    (case,) = book.all_cases()
    assert case.fact.raised_by == (by_model(0.95), by_model(0.8, version=4), ByReport("c2"))
    assert book.days == [DAY]


def test_what_a_report_alone_raised_is_the_reports() -> None:
    book = Book()
    book.add_alert(alerted("a", ByReport("c1"), revision=1_000))

    (case,) = book.all_cases()
    assert (case.fact.raised_by, case.fact.score) == ((ByReport("c1"),), None)
    (domain, report) = found_in(book).rows
    assert (domain.source.kind, report.source.kind) == ("domain", "report")


def test_of_an_alert_beyond_the_horizon_a_later_report_stays() -> None:
    book = Book()
    book.add_alert(alerted("a", day=0))
    book.add_alert(alerted("a", ByReport("c1"), day=2, revision=1_000))
    book.add_verdict("a", verdict("violation", day=2))

    book.forget(at(1))
    (case,) = book.all_cases()
    assert (case.fact.raised_by, case.verdict, book.days) == ((ByReport("c1"),), "violation", [DAY + 2])

    book.forget(at(3))
    assert (list(book.all_cases()), len(book)) == ([], 0)


def test_what_is_odd_is_counted_by_alert() -> None:
    book = Book()
    for alert_id in "abcd":
        book.add_alert(alerted(alert_id, hour=5))
    book.add_verdict("a", verdict("violation", hour=6))
    book.add_verdict("a", verdict("no_violation", hour=7))
    book.add_verdict("b", verdict("violation", hour=6))
    book.add_verdict("b", verdict("unsure", hour=7))
    book.add_verdict("c", verdict("violation", hour=1))
    book.add_verdict("nobody", verdict("violation"))

    assert found_in(book).odd == Odd(unknown=1, again=2, contradicted=1, early=1)


def test_old_decisions_on_unknown_alerts_are_forgotten_with_the_day() -> None:
    book = Book()
    book.add_verdict("old", verdict("violation", day=0))
    book.add_verdict("new", verdict("violation", day=2))

    book.forget(at(1))

    assert book.unknown == 1


def test_decisions_without_end_on_one_alert_do_not_fill_the_memory() -> None:
    book = Book()
    book.add_alert(alerted("a"))
    for number in range(1000):
        book.add_verdict("a", verdict("violation", hour=number / 100, moderator=f"mod-{number}"))

    (case,) = book.all_cases()
    assert len(case.judgement) == KEPT_DECISIONS
    assert case.judgement[0].moderator_id == "mod-999"


def test_days_that_changed_are_told_once() -> None:
    book = Book()
    book.add_alert(alerted("a", day=0))
    book.add_alert(alerted("b", day=1))
    assert book.take_changed() == {DAY, DAY + 1}
    assert book.take_changed() == set()

    book.add_verdict("b", verdict("violation"))
    book.add_verdict("nobody", verdict("violation"))
    assert book.take_changed() == {DAY + 1}

    book.add_alert(alerted("b", day=0, revision=2))
    assert book.take_changed() == {DAY, DAY + 1}

    book.forget(at(2))
    assert book.take_changed() == {DAY, DAY + 1}


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-21", "2026-11-21T10:00:00"])
def test_a_time_that_is_none_is_refused(moment: str) -> None:
    facts = Alerted(
        alert_id="a",
        domain="d",
        revision=1,
        raised_at=moment,
        event_at=moment,
        subject={},
        raised_by=(ByRule("r"),),
    )

    with pytest.raises(ValueError, match=moment):
        Book().add_alert(facts)
