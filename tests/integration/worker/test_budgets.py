"""Adaptive budgets with two workers: both screen by the same decided threshold, and one that starts anew does at once."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from streams.budgets.adaptive import LONGEST_STEP_H, MOST_PER_HOUR
from streams.policy import POLICY_FILE, Domain, Policy, parse_policy
from streams.replay_files import Outgoing
from streams.settings import Settings
from streams.statistics.book import StatisticsBook
from streams.statistics.records import InputCounts, ScoreCounts, hour_of
from tests.integration.kafka_records import everything_in, write
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send
from tests.unit.budgets.counted import hours_of, records_of

pytestmark = pytest.mark.parametrize("broker", ["noida"], indirect=True)

NAME = "harassment"


@pytest_asyncio.fixture
async def counted(settings: Settings, rules_dir: Path) -> AsyncIterator[Domain]:
    """Thirty hours that other workers counted, in which the written threshold gave more alerts than the budget."""
    path = rules_dir / POLICY_FILE
    text, changed = re.subn(
        r"(message_harassment, version: 1, .*\n\s*budget: )\{alerts_per_day: 300\}",
        r"\1{alerts_per_day: 300, mode: adaptive}",
        path.read_text(encoding="utf-8"),
    )
    assert changed == 1
    path.write_text(text, encoding="utf-8")
    policy, issues = parse_policy(path.read_bytes(), str(path))
    assert policy is not None, issues
    domain = policy.domains[NAME]
    now = hour_of(time.time_ns() // 1000)
    counts = hours_of(domain, range(now - 30, now + 1))
    await write(
        settings, settings.topic("statistics"), [Outgoing(key, value) for key, value in records_of(counts)]
    )
    yield domain


async def _shown(worker: WorkerProcess, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The row of the domain at /budgets, once it is as wanted."""
    deadline = time.monotonic() + 60
    while True:
        _, body = await asyncio.to_thread(worker.get, "/budgets")
        rows = json.loads(body)["thresholds"] if body else []
        (row,) = [row for row in rows if row["domain"] == NAME] or [None]
        if row is not None and wanted(row):
            return dict(row)
        assert time.monotonic() < deadline, f"{row}\n{worker.log()[-3000:]}"
        await asyncio.sleep(0.2)


def _decided(row: dict[str, Any]) -> bool:
    return row["decided_at"] is not None


async def test_two_workers_screen_by_one_decided_threshold_and_a_new_one_from_its_start(
    settings: Settings, counted: Domain, policy: Policy, start_worker: StartWorker
) -> None:
    assert counted.champion is not None
    workers = [await start_worker("one"), await start_worker("two")]
    rows = [await _shown(worker, _decided) for worker in workers]
    assert rows[0]["threshold"] == rows[1]["threshold"] > counted.champion.threshold
    because = rows[0]["because"]
    assert because == rows[1]["because"]
    assert because["expected"] == pytest.approx(because["before"] / MOST_PER_HOUR**LONGEST_STEP_H, rel=1e-3)

    sent = [
        message(f"m{number}", "値切るなんて恥知らずのすることだ", transaction_id=f"t{number}")
        for number in range(40)
    ]
    await send(settings, sent)
    outputs = await accounted_for(settings, policy.domains)
    thresholds = {
        score["threshold"]
        for number in range(40)
        for score in outputs.prediction_of(f"m{number}")["scores"]
        if score["domain"] == NAME
    }
    assert thresholds == {rows[0]["threshold"]}

    started = await start_worker("three")
    _, body = started.get("/budgets")
    (row,) = [row for row in json.loads(body)["thresholds"] if row["domain"] == NAME]
    assert row["threshold"] == rows[0]["threshold"], "read before the first event"
    log = started.log()
    assert "the thresholds of domains.yaml hold until it is" not in log


async def test_another_worker_decides_when_the_one_that_did_is_gone(
    settings: Settings, counted: Domain, start_worker: StartWorker
) -> None:
    workers = [await start_worker("one"), await start_worker("two")]
    before = [await _shown(worker, _decided) for worker in workers]
    decider, other = await _one_decides(*workers)
    await decider.stop()
    deadline = time.monotonic() + 60
    while not await _decides(other):
        assert time.monotonic() < deadline, other.log()[-3000:]
        await asyncio.sleep(0.2)
    # It goes on from what stands: no second step within the time of one.
    after = await _shown(other, _decided)
    assert [row["threshold"] for row in before] == [after["threshold"]] * 2


async def _one_decides(one: WorkerProcess, two: WorkerProcess) -> tuple[WorkerProcess, WorkerProcess]:
    """The one that decides and the other; just after a rebalance both may think so for a few seconds."""
    deadline = time.monotonic() + 60
    while (of_one := await _decides(one)) == await _decides(two):
        assert time.monotonic() < deadline, "both decide, or none"
        await asyncio.sleep(0.2)
    return (one, two) if of_one else (two, one)


async def _decides(worker: WorkerProcess) -> bool:
    _, body = await asyncio.to_thread(worker.get, "/budgets")
    return bool(json.loads(body)["decides"])


async def test_what_two_workers_counted_is_every_event_once_after_they_stopped(
    settings: Settings, counted: Domain, policy: Policy, start_worker: StartWorker
) -> None:
    began = hour_of(time.time_ns() // 1000)
    workers = [await start_worker("one"), await start_worker("two")]
    sent = [message(f"m{number}", "まだありますか", transaction_id=f"t{number}") for number in range(60)]
    stressed = [message("stress-20261121T180000Z-3f9a1c-1", "まだありますか", transaction_id="stress-t")]
    await send(settings, [*sent, *stressed])
    await accounted_for(settings, policy.domains)
    assert [await worker.stop() for worker in workers] == [0, 0]

    book = StatisticsBook()
    records = await everything_in(settings, settings.topic("statistics"))
    book.fold_all(record for record in records if not (record.key or b"").startswith(b"counted/"))
    hours = range(began, began + 3)
    series = ("scores", NAME, "champion", "message_harassment", "1")
    inputs, scores = book.over(hours, ("inputs", "message")), book.over(hours, series)
    assert isinstance(inputs, InputCounts)
    assert isinstance(scores, ScoreCounts)
    assert inputs.events == 60
    assert scores.events == 60
    assert book.unreadable == 0


async def test_another_written_threshold_ends_what_was_decided(
    settings: Settings, counted: Domain, rules_dir: Path, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await _shown(worker, _decided)
    path = rules_dir / POLICY_FILE
    text = path.read_text(encoding="utf-8").replace("threshold: 0.8813", "threshold: 0.75")
    path.write_text(text, encoding="utf-8")
    row = await _shown(worker, lambda row: row["written"] == 0.75)
    assert row["threshold"] == 0.75
