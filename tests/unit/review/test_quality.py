"""Quality against a count by hand: every alert where it belongs, precision@K over whole days only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy import Domain, ModelRef, Trial, policy_of
from streams.review.alerted import ByPatrol, ByReport, ByRule
from streams.review.book import Book
from streams.review.quality import Budgets, Quality, Row, Source, Tally, budgets_of, quality_of
from streams.review.shares import share
from streams.review.verdicts import VerdictWord
from tests.unit.review.making import alerted, at, by_model, verdict

BUDGETS = Budgets({"contact": 2}, {"contact": 2})
CHAMPION = Source("contact", "model", "message_contact", "3", "champion")
CHALLENGER = Source("contact", "model", "message_contact", "4", "challenger")


def week(book: Book, budgets: Budgets = BUDGETS) -> Quality:
    return quality_of(book, budgets, since_us=at(0), until_us=at(7))


def row(found: Quality, source: Source) -> Row:
    (wanted,) = [row for row in found.rows if row.source == source]
    return wanted


def test_an_alert_counts_for_its_domain_and_for_each_that_raised_it() -> None:
    book = Book()
    book.add_alert(
        alerted("a", ByRule("r1"), by_model(0.9), by_model(0.8, version=4, role="challenger"), ByReport("p"))
    )
    book.add_alert(alerted("b", by_model(0.7)))
    book.add_alert(alerted("c", ByRule("r1"), domain="harassment"))
    book.add_verdict("a", verdict("violation"))
    book.add_verdict("b", verdict("unsure"))

    found = week(book)

    assert {row.source: row.tally for row in found.rows} == {
        Source("contact"): Tally(violation=1, unsure=1),
        CHAMPION: Tally(violation=1, unsure=1),
        CHALLENGER: Tally(violation=1),
        Source("contact", "rule", "r1"): Tally(violation=1),
        Source("contact", "report"): Tally(violation=1),
        Source("harassment"): Tally(pending=1),
        Source("harassment", "rule", "r1"): Tally(pending=1),
    }


def test_what_the_patrol_drew_is_no_alert_of_a_domain() -> None:
    book = Book()
    book.add_alert(alerted("a", ByPatrol(0.001), domain="patrol"))
    book.add_verdict("a", verdict("no_violation"))

    assert [(row.source.kind, row.tally) for row in week(book).rows] == [("patrol", Tally(no_violation=1))]


def test_unsure_and_pending_are_not_in_the_precision() -> None:
    tally = Tally(pending=7, violation=3, no_violation=1, unsure=5)

    assert (tally.alerts, tally.judged, tally.precision) == (16, 4, share(3, 4))
    assert Tally(pending=2).precision.value is None


def test_precision_at_k_is_the_mean_of_the_whole_days() -> None:
    book = Book()
    words: list[tuple[int, float, VerdictWord | None]] = [
        (0, 0.9, "violation"),
        (0, 0.8, "violation"),
        (0, 0.7, "no_violation"),  # below the day's two
        (1, 0.9, "no_violation"),
        (1, 0.8, None),  # nobody looked: the day rests on the other
        (2, 0.9, None),  # a day that says nothing
        (2, 0.8, "unsure"),
        (7, 0.9, "violation"),  # not over yet
    ]
    for number, (day, score, word) in enumerate(words):
        book.add_alert(alerted(str(number), by_model(score), day=day))
        if word:
            book.add_verdict(str(number), verdict(word, day=day))

    found = quality_of(book, BUDGETS, since_us=at(0), until_us=at(7, 12))

    at_k = row(found, CHAMPION).at_k
    assert at_k is not None
    assert (at_k.k, at_k.days, at_k.alerts, at_k.precision.of) == (2, 2, 6, 3)
    assert at_k.precision.value == pytest.approx((2 / 2 + 0 / 1) / 2)
    assert row(found, CHAMPION).tally.alerts == 8


def test_a_first_day_that_is_cut_is_not_in_precision_at_k_but_in_the_counts() -> None:
    book = Book()
    book.add_alert(alerted("early", by_model(0.9), day=0, hour=1))
    book.add_alert(alerted("late", by_model(0.9), day=0, hour=20))

    found = quality_of(book, BUDGETS, since_us=at(0, 12), until_us=at(3))

    assert row(found, CHAMPION).tally.alerts == 1
    at_k = row(found, CHAMPION).at_k
    assert at_k is not None
    assert at_k.days == at_k.alerts == 0


def test_rules_stand_before_every_score_in_their_domains_day() -> None:
    book = Book()
    book.add_alert(alerted("rule", ByRule("r1"), hour=20))
    book.add_alert(alerted("both", ByRule("r1"), by_model(0.1), hour=21))
    book.add_alert(alerted("model", by_model(0.99), hour=1))
    book.add_verdict("rule", verdict("violation"))
    book.add_verdict("both", verdict("violation"))
    book.add_verdict("model", verdict("no_violation"))

    found = week(book)

    whole, model = row(found, Source("contact")).at_k, row(found, CHAMPION).at_k
    assert whole is not None
    assert whole.precision.value == 1.0
    assert model is not None
    assert model.precision.value == 0.5
    assert row(found, Source("contact", "rule", "r1")).at_k is None


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1).map(lambda x: round(x, 6)),
            st.sampled_from(["violation", "no_violation", "unsure", None]),
            st.integers(0, 2),
        ),
        max_size=25,
    ),
    st.integers(1, 6),
)
def test_precision_at_k_is_that_of_a_naive_count(
    alerts: list[tuple[float, VerdictWord | None, int]], k: int
) -> None:
    book = Book()
    for number, (score, word, day) in enumerate(alerts):
        book.add_alert(alerted(f"{number:03}", by_model(score), day=day))
        if word:
            book.add_verdict(f"{number:03}", verdict(word, day=day))
    means = []
    for day in range(3):
        of_day = [
            (-score, number, word) for number, (score, word, at_day) in enumerate(alerts) if at_day == day
        ]
        top = [word for _, _, word in sorted(of_day, key=lambda entry: entry[:2])[:k]]
        judged = [word for word in top if word in ("violation", "no_violation")]
        if judged:
            means.append(judged.count("violation") / len(judged))

    found = week(book, Budgets({}, {"contact": k}))

    if alerts:
        at_k = row(found, CHAMPION).at_k
        assert at_k is not None
        assert at_k.days == len(means)
        expected = sum(means) / len(means) if means else None
        assert at_k.precision.value == (None if expected is None else pytest.approx(expected))


def test_rows_stand_by_domain_its_whole_first_and_rules_by_their_alerts() -> None:
    book = Book()
    for number in range(3):
        book.add_alert(alerted(f"a{number}", ByRule("seldom") if number == 0 else ByRule("often")))
    book.add_alert(alerted("b", by_model(0.9), domain="abuse"))
    book.add_alert(alerted("c", by_model(0.9)))
    book.add_alert(alerted("d", ByPatrol(0.1), domain="patrol"))

    assert [(r.source.domain, r.source.kind, r.source.name) for r in week(book).rows] == [
        ("abuse", "domain", ""),
        ("abuse", "model", "message_contact"),
        ("contact", "domain", ""),
        ("contact", "model", "message_contact"),
        ("contact", "rule", "often"),
        ("contact", "rule", "seldom"),
        ("patrol", "patrol", ""),
    ]


def test_k_is_halved_where_champion_and_challenger_share_it() -> None:
    def domain(name: str, *, challenger: bool, mode: str = "beside", budget: int | None = 5) -> Domain:
        return Domain(
            name,
            "title",
            "message",
            "high",
            ModelRef("m", 1, 0.5),
            ModelRef("m", 2, 0.5) if challenger else None,
            budget,
            Trial(mode, 0.1 if mode == "canary" else 0.0),  # type: ignore[arg-type]
        )

    domains = [
        domain("alone", challenger=False),
        domain("beside", challenger=True),
        domain("one", challenger=True, budget=1),
        domain("shadow", challenger=True, mode="shadow"),
        domain("unbounded", challenger=False, budget=None),
    ]

    budgets = budgets_of(policy_of({domain.name: domain for domain in domains}))

    assert budgets.of_domain == {"alone": 5, "beside": 5, "one": 1, "shadow": 5}
    assert budgets.of_model == {"alone": 5, "beside": 2, "one": 1, "shadow": 5}
