from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerts import Role
from streams.drift.book import DriftBook, InputSeries, ScoreSeries
from streams.drift.periods import Periods
from streams.statistics.records import AlertCounts, Counts, InputCounts, ScoreCounts

SERIES = ScoreSeries("harassment", "message_harassment", 1)
PERIODS = Periods(reference=10, current=14, end=16)


def scores(
    instance: str, hour: int, *, version: int = 1, role: Role = "champion", **counted: dict[int, int]
) -> ScoreCounts:
    return ScoreCounts(
        instance=instance, hour=hour, domain="harassment", model="message_harassment", version=version,
        role=role, **counted,
    )  # fmt: skip


@st.composite
def growing(draw: st.DrawFn) -> list[Counts]:
    """Records of two processes over some hours: each hour is written again and again while its counts grow."""
    records: list[Counts] = []
    for instance in "ab":
        for hour in draw(st.sets(st.integers(8, 17), max_size=4)):
            alone: dict[int, int] = {}
            facts: dict[str, int] = {"events": 0}
            for _ in range(draw(st.integers(1, 4))):
                place = draw(st.integers(-512, 511))
                alone = {**alone, place: alone.get(place, 0) + draw(st.integers(1, 9))}
                records.append(scores(instance, hour, alone=alone))
                name = draw(st.sampled_from(["script=latin", "script=japanese", "note:key_missing"]))
                facts = {**facts, name: facts.get(name, 0) + 1, "events": facts["events"] + 1}
                records.append(InputCounts(instance=instance, hour=hour, kind="message", facts=facts))
    return records


def state(book: DriftBook) -> object:
    return [(series, book.compared(series, PERIODS)) for series in book]


def book_of(records: list[Counts]) -> DriftBook:
    book = DriftBook()
    for record in records:
        book.add(record)
    return book


@given(growing(), st.integers())
def test_the_order_and_repetition_of_records_make_no_difference(records: list[Counts], seed: int) -> None:
    again = [*records, *random.Random(seed).choices(records, k=5)] if records else []
    random.Random(seed).shuffle(again)
    assert state(book_of(again)) == state(book_of(records))


@given(growing())
def test_the_last_record_of_each_hour_is_what_counts(records: list[Counts]) -> None:
    last = {(r.instance, r.hour): r for r in records if isinstance(r, ScoreCounts)}
    wanted = sum(sum(r.alone.values()) for (_, hour), r in last.items() if 10 <= hour < 14)
    book = book_of(records)
    if SERIES in list(book):
        compared = book.compared(SERIES, PERIODS)
        assert sum(compared.reference.values()) == wanted
        assert sum(sum(part.values()) for part in compared.parts) == wanted


def test_hours_fall_into_the_current_period_and_parts_of_the_reference() -> None:
    book = book_of([scores("a", hour, alone={32 * hour: 1}) for hour in range(8, 18)])
    compared = book.compared(SERIES, PERIODS)
    assert compared.current == {4 * 14: 1, 4 * 15: 1}
    assert compared.parts == ({4 * 12: 1, 4 * 13: 1}, {4 * 10: 1, 4 * 11: 1})


def test_scores_beside_a_rule_count_like_the_others() -> None:
    book = book_of([scores("a", 14, alone={0: 3}, with_rule={1: 4, 300: 1})])
    assert book.compared(SERIES, PERIODS).current == {0: 7, 37: 1}


def test_a_version_keeps_its_counts_when_it_is_promoted_even_within_the_hour() -> None:
    book = book_of(
        [
            scores("a", 12, role="challenger", alone={0: 5}),
            scores("a", 14, role="challenger", alone={0: 3}),
            scores("a", 14, role="champion", alone={0: 4}),
        ]
    )
    compared = book.compared(SERIES, PERIODS)
    assert compared.reference == {0: 5}
    assert compared.current == {0: 7}


def test_facts_are_counted_by_the_number_of_their_bin() -> None:
    facts = {"events": 9, "script=latin": 4, "script=japanese": 5, "script=klingon": 1, "masked=yes": 9}
    book = book_of([InputCounts(instance="a", hour=15, kind="message", facts=facts)])
    script = InputSeries("message", "script")
    current = book.compared(script, PERIODS).current
    assert {script.bin_name(place): count for place, count in current.items()} == {"japanese": 5, "latin": 4}
    assert InputSeries("message", "masked") in list(book)


def test_what_is_too_old_is_forgotten() -> None:
    book = book_of([scores("a", 9, alone={0: 1}), scores("a", 12, alone={0: 2}), scores("b", 9, version=2)])
    book.forget_before(10)
    assert list(book) == [SERIES]
    assert book.compared(SERIES, PERIODS).reference == {0: 2}


def test_counts_of_alerts_are_not_compared() -> None:
    assert not list(book_of([AlertCounts(instance="a", hour=12, domain="harassment", by_rules=3)]))


def test_an_unknown_series_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        DriftBook().compared(SERIES, PERIODS)
