"""Orderly stops under load: a fleet restarted worker by worker, grown and shrunk, loses nothing and repeats nothing.

Several workers run on Apache Kafka only: noida refuses commits while a group rebalances, which Kafka takes, and without
them nobody can hand over without repeating.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from streams.agents.window_table import table_key
from streams.embedded.triton import EmbeddedTriton
from streams.kafka.clients import producer
from streams.kafka.topics import windows_changelog
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings
from streams.windows import Turn, encode
from tests.faults.checker.accounting import check_accounting
from tests.faults.checker.expected import Editions
from tests.faults.checker.facts import Facts
from tests.faults.checker.judgements import check_alerts, check_predictions
from tests.faults.checker.reading import everything_in
from tests.faults.checker.repetitions import check_repetitions
from tests.faults.checker.verdict import Verdict
from tests.faults.counting_models import MODELS, put_repository
from tests.faults.editions import DOMAINS, edition
from tests.faults.traffic import events
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.group import committed, ends, group_of, until_group
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send

KAFKA = pytest.mark.parametrize("broker", ["kafka"], indirect=True)
NOIDA = pytest.mark.parametrize("broker", ["noida"], indirect=True)
#: Events a second under load, and at once for a backlog: some seconds of work, so that a busy machine still stops it in time.
RATE, BACKLOG = 60.0, 10_000
DAY_MS = 86_400_000.0
#: Rules and policy: marker words that anyone can look for, models whose scores are sums.
EDITION = edition(1, dict.fromkeys(MODELS, 1), seed=5)
#: Limits for a machine that many programs share, in seconds.
READY_S, OUTPUTS_S = 600.0, 600.0
#: What a worker logs when it knows its partitions, and when it has recovered their windows.
ASSIGNED, CONSUMING = "Setting newly assigned partitions", '"consuming '


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """Models that cost next to nothing: what is tested here is who takes which record."""
    directory = tmp_path_factory.mktemp("counting")
    put_repository(directory / "models")
    with EmbeddedTriton(directory / "models", data_dir=directory) as server:
        yield server.wait_ready()


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    """Rules on, and a policy that names these models."""
    directory = tmp_path / "rules"
    directory.mkdir()
    EDITION.put(directory)
    return directory


@pytest.fixture
def policy(rules_dir: Path) -> Policy:
    parsed, issues = parse_policy((rules_dir / POLICY_FILE).read_bytes(), POLICY_FILE)
    assert parsed is not None, issues
    return parsed


def traffic() -> Iterator[tuple[str, bytes | None, bytes | None]]:
    """A marketplace's listings and messages, edits and latecomers among them, without an end.

    None comes twice in a row: a repetition's alert is one of its own, and could not be told from an alert that was sent
    twice. And no pictures: a busy machine may not decode one in its time, and the listing is then scored without it.
    """
    before = None
    for event in events(5, start=datetime.now(UTC), rate=RATE):
        if event == before:
            continue
        before = event
        value = orjson.loads(event.value or b"")
        value.pop("images", None)
        yield event.topic, event.key, orjson.dumps(value)


@asynccontextmanager
async def steady_load(settings: Settings) -> AsyncIterator[None]:
    """Traffic for as long as the block runs."""
    stop = asyncio.Event()
    going_on = itertools.takewhile(lambda _: not stop.is_set(), traffic())
    sending = asyncio.create_task(send(settings, going_on, rate=RATE))
    try:
        yield
    finally:
        stop.set()
        await sending


async def start(start_worker: StartWorker, *names: str) -> list[WorkerProcess]:
    """Workers started together, all ready."""
    return list(await asyncio.gather(*(start_worker(name, timeout_s=READY_S) for name in names)))


async def stop_in_order(worker: WorkerProcess, settings: Settings, *, left: int) -> None:
    """SIGTERM. The worker ends with 0, as it does only within its time, and the group knows at once that it has left."""
    assert await worker.stop() == 0, worker.log()[-3000:]
    assert (await group_of(settings)).members == left


async def until_all_owned(settings: Settings) -> None:
    partitions = await ends(settings)
    await until_group(settings, lambda group: group.shares(partitions), "those who are left own everything")


async def until_some_committed(settings: Settings, *, timeout_s: float = OUTPUTS_S) -> None:
    async with asyncio.timeout(timeout_s):
        while not any((await committed(settings)).values()):  # noqa: ASYNC110 - the broker has no event for it
            await asyncio.sleep(0.01)


async def check_once_each(settings: Settings) -> Verdict:
    """Every record has one prediction, its window, rules and scores are those of a straight replay by the campaign's
    oracle, and so are the alerts, none of which came twice.
    """
    await accounted_for(settings, DOMAINS, timeout_s=OUTPUTS_S)
    editions = Editions([EDITION.record()])
    facts = Facts(settings.data_dir / "facts.sqlite", editions.words)
    names = ["messages", "listings", "predictions", "deadletter", *(f"alerts.{domain}" for domain in DOMAINS)]
    try:
        topics = [settings.topic(name) for name in names]
        async for piece in everything_in(settings.broker, topics, prefix=settings.topic_prefix):
            facts.take(piece)
        facts.index()
        facts.work_out_windows(
            idle_ms=settings.window_idle_days * DAY_MS, ended_ms=settings.window_ended_days * DAY_MS
        )
        verdict = Verdict()
        check_accounting(facts, verdict)
        check_predictions(facts, editions, verdict)
        check_alerts(facts, editions, verdict)
        check_repetitions(facts, verdict)
        twice = facts.database.execute(
            "select alert_id, revision, count(*) from alert group by alert_id, revision having count(*) > 1"
        ).fetchall()
    finally:
        facts.close()
    assert verdict.ok, verdict.examples
    assert verdict.counts["predictions"] == verdict.counts["records produced"] > 0
    assert verdict.counts["predictions repeated"] == 0
    assert twice == []
    return verdict


@KAFKA
async def test_a_rolling_restart_loses_and_repeats_nothing(
    settings: Settings, start_worker: StartWorker
) -> None:
    fleet = await start(start_worker, "first", "second", "third")
    async with steady_load(settings):
        for worker in fleet:
            await stop_in_order(worker, settings, left=2)
            await worker.start().wait_ready(timeout_s=READY_S)
    verdict = await check_once_each(settings)
    assert verdict.counts["alerts"] > 0
    for left, worker in zip((2, 1, 0), fleet, strict=True):
        await stop_in_order(worker, settings, left=left)
    assert await committed(settings) == await ends(settings)


@KAFKA
async def test_a_fleet_that_grows_and_shrinks_loses_and_repeats_nothing(
    settings: Settings, start_worker: StartWorker
) -> None:
    (first,) = await start(start_worker, "first")
    async with steady_load(settings):
        others = [*await start(start_worker, "second"), *await start(start_worker, "third")]
        for left, worker in zip((2, 1), others, strict=True):
            await stop_in_order(worker, settings, left=left)
            await until_all_owned(settings)
    await check_once_each(settings)
    await stop_in_order(first, settings, left=0)
    assert await committed(settings) == await ends(settings)


@KAFKA
async def test_workers_stopped_while_the_group_rebalances_lose_and_repeat_nothing(
    settings: Settings, start_worker: StartWorker
) -> None:
    first, second = await start(start_worker, "first", "second")
    async with steady_load(settings):
        starting = asyncio.create_task(start(start_worker, "third"))
        await until_group(settings, lambda group: group.state != "Stable", "the third makes them rebalance")
        assert await first.stop() == 0, first.log()[-3000:]
        (third,) = await starting
        await until_group(settings, lambda group: group.members == 2, "two are left")
        stopping = asyncio.create_task(second.stop())
        await until_group(settings, lambda group: group.state != "Stable", "the second leaves")
        assert await third.stop() == 0, third.log()[-3000:]
        assert await stopping == 0, second.log()[-3000:]
        assert (await group_of(settings)).members == 0
        await first.start().wait_ready(timeout_s=READY_S)
    await check_once_each(settings)
    await stop_in_order(first, settings, left=0)
    assert await committed(settings) == await ends(settings)


@NOIDA
async def test_a_worker_stopped_while_it_recovers_its_windows_takes_and_spoils_nothing(
    settings: Settings, start_worker: StartWorker
) -> None:
    (first,) = await start(start_worker, "first")
    await send(settings, [message(f"m{number}", "こんにちは") for number in range(4)])
    await accounted_for(settings, DOMAINS, timeout_s=OUTPUTS_S)
    await stop_in_order(first, settings, left=0)
    await fill_changelog(settings, conversations=60_000)
    await send(settings, [message("m4", "届きました")])
    written = len(first.log())
    first.start()
    await until_logged(first, ASSIGNED, after=written)
    await asyncio.sleep(0.1)  # recovering takes several times as long
    await stop_in_order(first, settings, left=0)
    assert CONSUMING not in first.log()[written:], "it was stopped too late to show anything"
    await start(start_worker, "second")
    await check_once_each(settings)


@NOIDA
async def test_a_worker_stopped_in_the_middle_of_a_backlog_repeats_nothing(
    settings: Settings, start_worker: StartWorker
) -> None:
    (first,) = await start(start_worker, "first")
    await send(settings, itertools.islice(traffic(), BACKLOG))
    await until_some_committed(settings)
    await stop_in_order(first, settings, left=0)
    assert 0 < sum((await committed(settings)).values()) < BACKLOG, "it was stopped too late to show anything"
    await start(start_worker, "second")
    await check_once_each(settings)


async def until_logged(worker: WorkerProcess, words: str, *, after: int, timeout_s: float = READY_S) -> None:
    deadline = time.monotonic() + timeout_s
    while words not in worker.log()[after:]:
        assert time.monotonic() < deadline, worker.log()[after:][-3000:]
        await asyncio.sleep(0.005)


async def fill_changelog(settings: Settings, *, conversations: int) -> None:
    """Windows of other conversations, so that recovering takes a while."""
    changelog = windows_changelog(settings)
    value = encode((Turn(0, "m", 0, "seller", "はい"),))
    async with producer(settings, linger_ms=50, max_batch_size=1 << 18) as client:
        for number in range(conversations):
            partition = number % settings.partitions
            await client.send(
                changelog, value=value, key=table_key(partition, f"o{number}"), partition=partition
            )
