"""Counts of whole hours as workers write them, for tests of budgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from streams.policy import Domain
from streams.statistics.bins import bin_of
from streams.statistics.book import StatisticsBook
from streams.statistics.records import AlertCounts, Counts, InputCounts, ScoreCounts, encode, key_of

#: Scores of an hour where no rule fires, and how many events have each: 10,000 in all.
ALONE: Mapping[float, int] = {0.02: 9_700, 0.5: 200, 0.85: 60, 0.93: 30, 0.99: 10}


def hours_of(
    domain: Domain,
    hours: Iterable[int],
    *,
    alone: Mapping[float, int] = ALONE,
    by_rules: int = 5,
    instance: str = "counted",
) -> Iterator[Counts]:
    """The counts of a domain's models, alerts and inputs, the same in each hour."""
    for hour in hours:
        for role, reference in (("champion", domain.champion), ("challenger", domain.challenger)):
            if reference is not None:
                yield ScoreCounts(
                    instance=instance, hour=hour, domain=domain.name, model=reference.model,
                    version=reference.version, role=role,  # type: ignore[arg-type]
                    alone={bin_of(score): count for score, count in alone.items()},
                    with_rule={bin_of(0.97): by_rules},
                )  # fmt: skip
        yield AlertCounts(instance=instance, hour=hour, domain=domain.name, by_rules=by_rules)
        events = sum(alone.values()) + by_rules
        yield InputCounts(instance=instance, hour=hour, kind=domain.applies_to, facts={"events": events})


def records_of(counts: Iterable[Counts]) -> list[tuple[bytes, bytes]]:
    """Keys and values."""
    return [(key_of(one), encode(one)) for one in counts]


def book_of(counts: Iterable[Counts]) -> StatisticsBook:
    """A book that has read them."""
    book = StatisticsBook()
    for _, value in records_of(counts):
        book.fold(value)
    return book
