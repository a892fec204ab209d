"""A budget that became adaptive again screened at once with what had been decided weeks ago.

The same happened to a file that went back to a former version and written threshold. What holds is renewed, and what
nobody renewed for a day is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from streams.agents.budget_desk import BudgetDesk
from streams.budgets.adaptive import Waiting
from streams.budgets.decided import LIFE_US, Because, Decided, Decisions, decode, encode, thresholds_of
from streams.budgets.deciding import consider
from streams.kafka.outbox import Outbox
from streams.kafka.shared_log import Standing
from streams.policy import Domain, ModelRef, Trial, policy_of
from streams.rulebook import LiveRulebook
from streams.settings import Settings
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US
from streams.statistics.records import encode as encode_counts
from tests.unit.budgets.counted import hours_of

HOUR = 490_000
NOW_US = HOUR * HOUR_US
PLACE = "harassment", "champion"
#: Of 10,005 events an hour five alert by rules and ten have a score of 0.99: its budget is met, nothing is to change.
DOMAIN = Domain(
    "harassment", "Insults", "message", "high", ModelRef("message_harassment", 3, 0.5),
    alerts_per_day=360, budget_mode="adaptive",
)  # fmt: skip
DECIDED = Decided(
    domain="harassment", role="champion", model="message_harassment", version=3, written=0.5, threshold=0.96,
    decided_at_us=NOW_US,
    because=Because(alerts_per_day=360, by_rules=120, events=1, scored=1, wanted=240, before=240, expected=240),
)  # fmt: skip
POLICY = """\
format: 1
domains:
  harassment:
    title: Insults
    applies_to: message
    severity: high
    champion: {model: message_harassment, version: 3, threshold: 0.5}
    budget: {alerts_per_day: 360, mode: adaptive}
"""


@dataclass(frozen=True)
class Record:
    value: bytes | None


@pytest.mark.parametrize(("hours", "threshold"), [(23, 0.96), (25, 0.5), (24 * 30, 0.5)])
def test_a_decision_of_another_time_does_not_hold(hours: int, threshold: float) -> None:
    decisions, policy = Decisions(), policy_of({"harassment": DOMAIN})
    decisions.fold(encode(DECIDED))
    decisions.expire(NOW_US + hours * HOUR_US)
    assert thresholds_of(decisions.applied_to(policy)) == {PLACE: threshold}


@pytest.mark.parametrize(
    ("counted", "reason"),
    [(True, "as it should be"), (False, "a whole day without a gap has not been counted")],
)
def test_one_that_holds_is_kept_while_nothing_is_to_change_or_counts_are_missing(
    counted: bool, reason: str
) -> None:
    decisions, policy = Decisions(), policy_of({"harassment": DOMAIN})
    decisions.fold(encode(DECIDED))
    book = StatisticsBook()
    written = []
    for hour in range(HOUR - 50, HOUR + 73):
        now_us = hour * HOUR_US
        decisions.expire(now_us)
        if hour >= HOUR:
            (one,) = consider(policy, book, decisions, now_us=now_us)
            assert isinstance(one.outcome, Waiting)
            assert reason in one.outcome.reason
            if one.renewed is not None:
                written.append(one.renewed)
                decisions.fold(encode(one.renewed))
        assert thresholds_of(decisions.applied_to(policy)) == {PLACE: 0.96}
        for counts in hours_of(DOMAIN, [hour] if counted else [], alone={0.02: 9_990, 0.99: 10}):
            book.fold(encode_counts(counts))
    assert [one.renewed_at_us for one in written] == [(HOUR + number) * HOUR_US for number in range(1, 73)]
    assert written[0] == structs.replace(DECIDED, renewed_at_us=NOW_US + HOUR_US)


def test_a_renewal_never_takes_the_place_of_a_newer_decision() -> None:
    newer = structs.replace(DECIDED, threshold=0.97, decided_at_us=NOW_US + 1)
    renewed = structs.replace(DECIDED, renewed_at_us=NOW_US + 9)
    for records in ((newer, renewed), (renewed, newer)):
        decisions = Decisions()
        for record in records:
            decisions.fold(encode(record))
        assert decisions.of(DOMAIN, "champion") == newer


def test_what_is_made_of_the_decisions_is_made_anew_when_one_ends() -> None:
    decisions = Decisions()
    decisions.fold(encode(DECIDED))
    before = decisions.changes
    decisions.expire(NOW_US + LIFE_US)
    assert decisions.changes == before
    decisions.expire(NOW_US + LIFE_US + 1)
    assert decisions.changes == before + 1
    decisions.expire(NOW_US)  # a clock that was set right
    assert decisions.changes == before + 2
    assert decisions.of(DOMAIN, "champion") == DECIDED


def test_a_challenger_that_became_a_shadow_has_the_written_threshold_at_once() -> None:
    beside = replace(DOMAIN, challenger=ModelRef("message_harassment", 4, 0.6))
    decisions = Decisions()
    decisions.fold(encode(structs.replace(DECIDED, role="challenger", version=4, written=0.6)))
    assert decisions.of(beside, "challenger") is not None
    assert decisions.of(replace(beside, trial=Trial("shadow")), "challenger") is None


@pytest_asyncio.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveRulebook]:
    (tmp_path / "domains.yaml").write_text(POLICY)
    rulebook = LiveRulebook(tmp_path, poll_s=60)
    await rulebook.start()
    yield rulebook
    await rulebook.stop()


class Keeping:
    """A producer that keeps the values that it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def send(self, _topic: str, *, value: bytes, **_: object) -> asyncio.Future[None]:
        self.sent.append(value)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def test_the_worker_that_decides_writes_the_renewal(live: LiveRulebook) -> None:
    kafka = Keeping()
    desk = BudgetDesk(Settings(), live, now_us=lambda: NOW_US + HOUR_US)
    desk.fold_thresholds([Record(encode(DECIDED))])
    await desk.decide(Outbox(kafka))
    assert [decode(value) for value in kafka.sent] == [
        structs.replace(DECIDED, renewed_at_us=NOW_US + HOUR_US)
    ]
    assert desk.page()["thresholds"][0]["waiting"] == "a whole day without a gap has not been counted yet"


@dataclass
class ReadLog:
    standing: Standing


async def test_a_worker_that_starts_days_later_screens_with_the_written_one(
    live: LiveRulebook, caplog: pytest.LogCaptureFixture
) -> None:
    now_us = NOW_US
    desk = BudgetDesk(Settings(), live, now_us=lambda: now_us)
    desk._thresholds = ReadLog(Standing(caught_up=True))  # type: ignore[assignment]
    desk.fold_thresholds([Record(encode(DECIDED))])
    assert thresholds_of(desk.current.policy) == {PLACE: 0.96}
    now_us += 48 * HOUR_US
    with caplog.at_level(logging.INFO):
        desk.fold_thresholds([])
    assert thresholds_of(desk.current.policy) == {PLACE: 0.5}
    assert "threshold of harassment (champion): 0.5 as domains.yaml says, was 0.96" in caplog.text
