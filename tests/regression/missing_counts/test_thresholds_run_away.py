"""Counts that were missing from the rolling day were taken for few events: thresholds fell until everything alerted.

A fleet whose counts did not arrive for 24 hours raised 5,006 alerts a day of a budget of 500; one that stood still for
30 hours raised 1,540 on the day after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.agents.budget_desk import BudgetDesk
from streams.budgets.decided import Decided, Decisions, encode
from streams.budgets.deciding import consider
from streams.budgets.rolling_day import KEPT_HOURS, is_whole
from streams.kafka.shared_log import Standing
from streams.policy import Domain, ModelRef, policy_of
from streams.rulebook import LiveRulebook
from streams.settings import Settings
from streams.statistics.bins import bin_of, events_from, score_at
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US
from tests.unit.budgets.counted import book_of, hours_of, records_of

K = 500
BEGIN = 490_000
STEPS = 12
#: 10,000 events an hour, of which one more in five reaches each of these bins.
SCORES = {0: 9_936} | {bin_of(0.6) + 8 * number: 4 for number in range(16)}
ALONE = {score_at(place + 0.5): count for place, count in SCORES.items()}
#: The threshold with which the budget is met: what rules leave of it, by the hour.
RIGHT = score_at(max(SCORES) + 1 - 8 * 4)
DOMAIN = Domain(
    "harassment", "Insults", "message", "high", ModelRef("message_harassment", 3, RIGHT),
    alerts_per_day=K, budget_mode="adaptive",
)  # fmt: skip


def most_alerts_in_a_day(
    hours: int, *, screened: Callable[[int], bool], counted: Callable[[int], bool]
) -> float:
    """Of all 24 hours, the most events that alerted, while each five minutes the next threshold is decided."""
    book, decisions, policy = StatisticsBook(), Decisions(), policy_of({DOMAIN.name: DOMAIN})
    alerts: list[float] = []
    for hour in range(hours):
        alerts.append(0.0)
        if not screened(hour):
            continue
        if counted(hour):
            for _, value in records_of(hours_of(DOMAIN, [BEGIN + hour], alone=ALONE, by_rules=0)):
                book.fold(value)
        for step in range(STEPS):
            champion = decisions.applied_to(policy).domains[DOMAIN.name].champion
            assert champion is not None
            alerts[-1] += events_from(SCORES, champion.threshold) / STEPS
            now_us = (BEGIN + hour) * HOUR_US + (step + 1) * HOUR_US // STEPS - 1
            book.forget_before(BEGIN + hour - KEPT_HOURS)
            for considered in consider(policy, book, decisions, now_us=now_us):
                if isinstance(considered.outcome, Decided):
                    decisions.fold(encode(considered.outcome))
    return max(sum(alerts[first : first + 24]) for first in range(hours - 23))


def always(_hour: int) -> bool:
    return True


def usual() -> float:
    return most_alerts_in_a_day(60, screened=always, counted=always)


@pytest.mark.parametrize("gap_h", [20, 30, 60])
def test_after_a_standstill_the_budget_is_kept(gap_h: int) -> None:
    found = most_alerts_in_a_day(
        40 + gap_h + 60, screened=lambda hour: not 40 <= hour < 40 + gap_h, counted=always
    )
    assert found <= 1.2 * usual()


@pytest.mark.parametrize("until", [52, 200])
def test_while_no_counts_arrive_the_budget_is_kept(until: int) -> None:
    found = most_alerts_in_a_day(110, screened=always, counted=lambda hour: not 40 <= hour < until)
    assert found <= 1.2 * usual()


def whole_at(hour: int, counted: set[int]) -> bool:
    found = book_of(hours_of(DOMAIN, sorted(BEGIN + each for each in counted)))
    found.forget_before(BEGIN + hour - KEPT_HOURS)
    return is_whole(found, now_us=(BEGIN + hour) * HOUR_US)


def test_a_gap_of_three_hours_is_borne_and_one_of_four_is_not() -> None:
    assert whole_at(60, set(range(70)) - {50, 51, 52})
    assert not whole_at(60, set(range(70)) - {50, 51, 52, 53})
    assert whole_at(60, set(range(70)) - {30, 31, 32, 33}), "before the day"


def test_a_night_without_events_is_no_gap_once_there_was_one_before() -> None:
    by_day = {hour for hour in range(200) if hour % 24 >= 8}
    assert not whole_at(8 + 24, by_day), "the first night might as well have been a standstill"
    assert all(whole_at(hour, by_day) for hour in range(8 + 48, 200) if hour in by_day)


def test_a_standstill_of_more_than_a_day_is_no_night() -> None:
    """Its last hours had none the day before either."""
    counted = set(range(200)) - set(range(60, 90))
    assert [hour for hour in range(84, 120) if whole_at(hour, counted)] == list(range(114, 120))


@dataclass
class Read:
    """A log that has been read so far."""

    standing: Standing


@pytest.mark.parametrize("log", ["_statistics", "_thresholds"])
async def test_a_worker_that_cannot_read_does_not_decide(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = BudgetDesk(Settings(), LiveRulebook(Path(), poll_s=60))
    for each in ("_statistics", "_thresholds"):
        monkeypatch.setattr(desk, each, Read(Standing(caught_up=True)))
    assert desk._is_time()
    monkeypatch.setattr(desk, log, Read(Standing(caught_up=True, trouble="no answer")))
    assert not desk._is_time()
