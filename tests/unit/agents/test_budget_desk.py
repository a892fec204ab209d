"""A worker's thresholds: what it screens with, what it shows, and that nothing here stops anything."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiokafka.errors import TopicAuthorizationFailedError
from prometheus_client import REGISTRY

from streams import metrics
from streams.agents.budget_desk import BudgetDesk
from streams.agents.statistics_desk import StatisticsDesk
from streams.alerts import Screened, message_subject
from streams.budgets.decided import Because, Decided, decode, encode, thresholds_of
from streams.conclusion import Conclusion
from streams.events import Message, Position
from streams.features.tensors import WindowFeatures
from streams.kafka.outbox import Outbox
from streams.kafka.shared_log import Standing
from streams.rulebook import LiveRulebook
from streams.screening import Case, Source
from streams.settings import Settings
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US, InputCounts
from tests.unit.budgets.counted import hours_of, records_of

NOW_US = 490_000 * HOUR_US + HOUR_US // 2
POLICY = """\
format: 1
domains:
  harassment:
    title: Insults
    applies_to: message
    severity: high
    champion: {model: message_harassment, version: 3, threshold: 0.9}
    budget: {alerts_per_day: 300, mode: adaptive}
  counterfeit:
    title: Imitations
    applies_to: listing
    severity: high
    champion: {model: listing_counterfeit, version: 1, threshold: 0.8}
"""


@dataclass(frozen=True)
class Record:
    value: bytes | None


class Refusing:
    """A producer whose user may not write to the topic."""

    async def send(self, topic: str, **_: Any) -> Any:
        raise TopicAuthorizationFailedError(topic)


class Keeping:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []

    async def send(self, topic: str, *, value: bytes, key: bytes, **_: Any) -> asyncio.Future[None]:
        self.sent.append((topic, key, value))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@dataclass
class ReadLog:
    """A log that has been read so far; nothing more comes."""

    standing: Standing = field(default_factory=lambda: Standing(caught_up=True))

    async def follow(self) -> None:
        await asyncio.Event().wait()


@pytest_asyncio.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveRulebook]:
    (tmp_path / "domains.yaml").write_text(POLICY)
    rulebook = LiveRulebook(tmp_path, poll_s=60)
    await rulebook.start()
    yield rulebook
    await rulebook.stop()


def decided(threshold: float, *, at_us: int = NOW_US, version: int = 3) -> Record:
    return Record(
        encode(
            Decided(
                domain="harassment", role="champion", model="message_harassment", version=version, written=0.9,
                threshold=threshold, decided_at_us=at_us,
                because=Because(
                    alerts_per_day=300, by_rules=20, events=9_000, scored=9_000, wanted=280, before=400, expected=387
                ),
            )
        )
    )  # fmt: skip


def counts(desk: BudgetDesk, live: LiveRulebook) -> None:
    domain = live.current.policy.domains["harassment"]
    newest = NOW_US // HOUR_US
    desk.book.fold_all(Record(v) for _, v in records_of(hours_of(domain, range(newest - 30, newest + 1))))


async def test_what_was_decided_is_screened_with_and_said(
    live: LiveRulebook, caplog: pytest.LogCaptureFixture
) -> None:
    desk = BudgetDesk(Settings(), live, now_us=lambda: NOW_US)
    assert desk.current.policy == live.current.policy
    desk._thresholds = ReadLog()  # type: ignore[assignment]
    with caplog.at_level(logging.INFO):
        desk.fold_thresholds(
            [decided(0.93), decided(0.99, at_us=NOW_US - 1, version=2), Record(b"{"), Record(None)]
        )
    assert thresholds_of(desk.current.policy) == {
        ("harassment", "champion"): 0.93,
        ("counterfeit", "champion"): 0.8,
    }
    assert desk.current is desk.current, "made anew only when something changes"
    assert desk.current.rules is live.current.rules
    (said,) = [record.getMessage() for record in caplog.records if "threshold of" in record.getMessage()]
    assert said == (
        "threshold of harassment (champion, message_harassment/3): 0.93, was 0.9. Of 9000 events in 24 hours 387 would "
        "alert by it, was 400; 20 alerted by rules; the budget is 300 a day"
    )


async def test_a_start_says_what_holds_and_not_all_that_ever_did(
    live: LiveRulebook, caplog: pytest.LogCaptureFixture
) -> None:
    desk = BudgetDesk(Settings(), live, look_every_s=0.001, now_us=lambda: NOW_US)
    desk._statistics = ReadLog()  # type: ignore[assignment]
    with caplog.at_level(logging.INFO):
        for number in range(100):
            desk.fold_thresholds([decided(0.92 + number / 10_000, at_us=NOW_US + number)])
        assert "threshold of" not in caplog.text
        desk._thresholds = ReadLog()  # type: ignore[assignment]
        desk.decide_with(Outbox(Keeping()), my_turn=lambda: False)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        desk.fold_thresholds([decided(0.95, at_us=NOW_US + 1000)])
        await desk.stop()
    said = [record.getMessage() for record in caplog.records if "threshold of" in record.getMessage()]
    assert [text.partition(". Of")[0].partition(": ")[2] for text in said] == [
        "0.9299, was 0.9",
        "0.95, was 0.9299",
    ]


async def test_a_worker_whose_turn_it_never_is_keeps_no_more_than_two_days_of_counts(
    live: LiveRulebook,
) -> None:
    now_us = NOW_US
    desk = BudgetDesk(Settings(), live, look_every_s=0.001, now_us=lambda: now_us)
    desk._statistics = ReadLog()  # type: ignore[assignment]
    counts(desk, live)
    desk.decide_with(Outbox(Keeping()), my_turn=lambda: False)  # type: ignore[arg-type]
    now_us += 40 * HOUR_US
    await until(lambda: desk.book.hours()[0] == now_us // HOUR_US - 48)
    now_us += 40 * HOUR_US
    await until(lambda: not desk.book.hours())
    await desk.stop()


async def test_one_bad_round_is_said_once_and_shown_and_the_next_goes_on(
    live: LiveRulebook, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OverflowError("a record of somebody's")

    kafka = Keeping()
    desk = BudgetDesk(Settings(), live, look_every_s=0.001, now_us=lambda: NOW_US)
    counts(desk, live)
    desk._statistics = desk._thresholds = ReadLog()  # type: ignore[assignment]
    with monkeypatch.context() as broken:
        broken.setattr("streams.agents.budget_desk.consider", refuse)
        desk.decide_with(Outbox(kafka), my_turn=lambda: True)  # type: ignore[arg-type]
        await until(lambda: desk.page()["trouble"] == "OverflowError: a record of somebody's")
        await asyncio.sleep(0.05)
    await until(lambda: bool(kafka.sent))
    await until(lambda: desk.page()["trouble"] is None)
    await desk.stop()
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert len(kafka.sent) == 1


async def until(it_is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not it_is_so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_the_page_says_what_is_written_what_holds_and_why(live: LiveRulebook) -> None:
    desk = BudgetDesk(Settings(), live, now_us=lambda: NOW_US)
    desk.fold_thresholds([decided(0.93)])
    page = desk.page()
    counterfeit, harassment = page["thresholds"]
    assert (harassment["written"], harassment["threshold"], harassment["mode"]) == (0.9, 0.93, "adaptive")
    assert harassment["because"]["expected"] == 387
    assert (counterfeit["threshold"], counterfeit["mode"], counterfeit["because"]) == (0.8, "fixed", None)
    assert page["reading"]["statistics"] is None
    assert page["unreadable"] == {"thresholds": 0, "statistics": 0}


async def test_a_decision_is_written_and_holds_when_it_is_read(live: LiveRulebook) -> None:
    kafka = Keeping()
    desk = BudgetDesk(Settings(topic_prefix="x."), live, now_us=lambda: NOW_US)
    counts(desk, live)
    await desk.decide(Outbox(kafka))  # type: ignore[arg-type]
    ((topic, key, value),) = kafka.sent
    assert (topic, key) == ("x.thresholds", b"harassment/champion/message_harassment/3/0.9")
    assert decode(value).threshold > 0.9
    assert thresholds_of(desk.current.policy)["harassment", "champion"] == 0.9
    desk.fold_thresholds([Record(value)])
    assert thresholds_of(desk.current.policy)["harassment", "champion"] == decode(value).threshold
    await desk.decide(Outbox(kafka))  # type: ignore[arg-type]
    assert len(kafka.sent) == 1, "no more than the bound of an hour"
    assert desk.page()["thresholds"][1]["waiting"] == "the threshold is as it should be"


async def test_without_counts_it_waits_and_says_for_what(live: LiveRulebook) -> None:
    kafka = Keeping()
    desk = BudgetDesk(Settings(), live, now_us=lambda: NOW_US)
    await desk.decide(Outbox(kafka))  # type: ignore[arg-type]
    assert kafka.sent == []
    assert desk.page()["thresholds"][1]["waiting"] == "a whole day without a gap has not been counted yet"


async def test_a_refused_write_leaves_the_threshold_and_is_said(
    live: LiveRulebook, caplog: pytest.LogCaptureFixture
) -> None:
    desk = BudgetDesk(Settings(), live, now_us=lambda: NOW_US)
    counts(desk, live)
    await desk.decide(Outbox(Refusing()))  # type: ignore[arg-type]
    assert "needs the ACL Write" in caplog.text
    assert thresholds_of(desk.current.policy)["harassment", "champion"] == 0.9


async def test_gauges_show_what_holds_and_forget_what_is_gone(live: LiveRulebook) -> None:
    metrics.THRESHOLD.labels(domain="gone", role="champion").set(0.1)
    desk = BudgetDesk(Settings(), live, now_us=lambda: NOW_US)
    desk.fold_thresholds([decided(0.93)])
    desk.show()

    def shown(domain: str) -> float | None:
        return REGISTRY.get_sample_value("sekisho_threshold", {"domain": domain, "role": "champion"})

    assert (shown("harassment"), shown("counterfeit"), shown("gone")) == (0.93, 0.8, None)
    budgets = [
        REGISTRY.get_sample_value("sekisho_budget_alerts_per_day", {"domain": domain})
        for domain in ("harassment", "counterfeit")
    ]
    assert budgets == [300, None]


# The counts that this worker writes


def concluded(live: LiveRulebook, number: int, *, prediction: bool = True) -> tuple[Case, Conclusion]:
    message = Message(message_id=f"m{number}", transaction_id="t", writer="buyer", text="はい")
    where = Position("messages", 0, number)
    shown = {"status": None, "messages": [{"message_id": "m", "writer": "buyer", "text": "はい"}]}
    case = Case(
        screened=Screened(message_subject(message), where, 0, (), (), shown, "r", "p"),
        source=Source(where, 0, b"t", b"{}"),
        rulebook=live.current,
        wanted=(),
        features=WindowFeatures((np.array([1], np.int64),), (1,), 0),
    )
    return case, Conclusion((), {} if prediction else None, not prediction, 0, frozenset(), ())


async def test_counts_are_written_cumulatively_and_once_more_at_the_stop(live: LiveRulebook) -> None:
    kafka = Keeping()
    desk = StatisticsDesk(Settings(), Outbox(kafka), now_us=lambda: NOW_US)  # type: ignore[arg-type]
    desk.start()
    desk.count([concluded(live, 1), concluded(live, 2, prediction=False)])
    await desk.write()
    desk.count([concluded(live, 3)])
    await desk.stop()
    assert {(topic, key) for topic, key, _ in kafka.sent} == {("statistics", kafka.sent[0][1])}
    assert len(kafka.sent) == 2
    book = StatisticsBook()
    for _, _, value in kafka.sent:
        book.fold(value)
    found = book.at(490_000, ("inputs", "message"))
    assert isinstance(found, InputCounts)
    assert found.events == 2, "what waits in rescore is counted when it is concluded"


async def test_two_processes_never_count_under_one_key(live: LiveRulebook) -> None:
    kafka = Keeping()
    for _ in range(2):
        desk = StatisticsDesk(Settings(), Outbox(kafka), now_us=lambda: NOW_US)  # type: ignore[arg-type]
        desk.count([concluded(live, 1)])
        await desk.write()
    assert len({key for _, key, _ in kafka.sent}) == 2


async def test_counts_that_kafka_refuses_are_said_and_stop_nothing(
    live: LiveRulebook, caplog: pytest.LogCaptureFixture
) -> None:
    desk = StatisticsDesk(Settings(), Outbox(Refusing()), now_us=lambda: NOW_US)  # type: ignore[arg-type]
    desk.start()
    desk.count([concluded(live, 1)])
    await desk.stop()
    assert "needs the ACL Write" in caplog.text


class Stuck(Keeping):
    """A producer whose broker does not answer, until it does."""

    answers = False

    async def send(self, topic: str, **rest: Any) -> asyncio.Future[None]:
        if not self.answers:
            await asyncio.Event().wait()
        return await super().send(topic, **rest)


async def test_a_write_that_the_stop_cuts_off_is_made_by_the_last_one(live: LiveRulebook) -> None:
    kafka = Stuck()
    desk = StatisticsDesk(Settings(), Outbox(kafka), write_every_s=0.0, now_us=lambda: NOW_US)  # type: ignore[arg-type]
    desk.count([concluded(live, 1)])
    desk.start()
    await asyncio.sleep(0.01)
    kafka.answers = True
    await desk.stop()
    assert [topic for topic, _, _ in kafka.sent] == ["statistics"]


async def test_counts_that_were_refused_once_are_written_the_next_time(live: LiveRulebook) -> None:
    kafka = Keeping()
    outbox = Outbox(Refusing())  # type: ignore[arg-type]
    desk = StatisticsDesk(Settings(), outbox, now_us=lambda: NOW_US)
    desk.count([concluded(live, 1)])
    await desk.write()
    outbox.producer = kafka  # type: ignore[assignment]
    await desk.write()
    await desk.write()
    assert len(kafka.sent) == 1


async def test_a_desk_that_never_began_stops(live: LiveRulebook) -> None:
    await StatisticsDesk(Settings(), Outbox(Refusing())).stop()  # type: ignore[arg-type]
    await BudgetDesk(Settings(), live).stop()
