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
from pathlib import Path

import pytest

from streams.agents.window_table import table_key
from streams.embedded.triton import EmbeddedTriton
from streams.kafka.clients import producer
from streams.kafka.topics import windows_changelog
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings
from streams.windows import Turn, encode
from tests.faults.counting_models import MODELS, put_repository
from tests.faults.editions import edition
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.group import committed, ends, group_of, until_group
from tests.integration.worker.outputs import Outputs, accounted_for, windows_by_hand
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import endless, generated, message, send

KAFKA = pytest.mark.parametrize("broker", ["kafka"], indirect=True)
NOIDA = pytest.mark.parametrize("broker", ["noida"], indirect=True)
#: Events a second.
RATE = 60.0
#: Limits for a machine that many programs share, in seconds.
READY_S, OUTPUTS_S = 180.0, 300.0
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
    edition(1, dict.fromkeys(MODELS, 1), seed=5).put(directory)
    return directory


@pytest.fixture
def policy(rules_dir: Path) -> Policy:
    parsed, issues = parse_policy((rules_dir / POLICY_FILE).read_bytes(), POLICY_FILE)
    assert parsed is not None, issues
    return parsed


@asynccontextmanager
async def steady_load(settings: Settings, *, rate: float = RATE) -> AsyncIterator[None]:
    """Listings, and messages of conversations, sent at a rate for as long as the block runs."""
    stop = asyncio.Event()
    events = itertools.takewhile(lambda _: not stop.is_set(), endless(rate=rate))
    sending = asyncio.create_task(send(settings, events, rate=rate))
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


async def once_each(settings: Settings, policy: Policy) -> Outputs:
    """Every record has one prediction, with the right window, and no alert came twice."""
    outputs = await accounted_for(settings, policy.domains, timeout_s=OUTPUTS_S)
    assert not outputs.invented
    assert not outputs.dead_letters
    repeated = {place: len(found) for place, found in outputs.predictions.items() if len(found) > 1}
    assert not repeated, f"{len(repeated)} of {len(outputs.produced)} came more than once: {repeated}"
    for alert, raised in outputs.alerts.items():
        assert len({one["revision"] for one in raised}) == len(raised), alert
    by_hand = windows_by_hand(r for r in outputs.produced.values() if r.topic == settings.topic("messages"))
    for place, window in by_hand.items():
        assert [m["message_id"] for m in outputs.predictions[place][0]["input"]["messages"]] == window
    return outputs


@KAFKA
async def test_a_rolling_restart_loses_and_repeats_nothing(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    fleet = await start(start_worker, "first", "second", "third")
    async with steady_load(settings):
        for worker in fleet:
            await stop_in_order(worker, settings, left=2)
            await worker.start().wait_ready(timeout_s=READY_S)
    outputs = await once_each(settings, policy)
    assert outputs.alerts
    for left, worker in zip((2, 1, 0), fleet, strict=True):
        await stop_in_order(worker, settings, left=left)
    assert await committed(settings) == await ends(settings)


@KAFKA
async def test_a_fleet_that_grows_and_shrinks_loses_and_repeats_nothing(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    (first,) = await start(start_worker, "first")
    async with steady_load(settings):
        others = [*await start(start_worker, "second"), *await start(start_worker, "third")]
        for left, worker in zip((2, 1), others, strict=True):
            await stop_in_order(worker, settings, left=left)
            await until_all_owned(settings)
    await once_each(settings, policy)
    await stop_in_order(first, settings, left=0)
    assert await committed(settings) == await ends(settings)


@KAFKA
async def test_workers_stopped_while_the_group_rebalances_lose_and_repeat_nothing(
    settings: Settings, policy: Policy, start_worker: StartWorker
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
    await once_each(settings, policy)
    await stop_in_order(first, settings, left=0)
    assert await committed(settings) == await ends(settings)


@NOIDA
async def test_a_worker_stopped_while_it_recovers_its_windows_takes_and_spoils_nothing(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    (first,) = await start(start_worker, "first")
    await send(settings, [message(f"m{number}", "こんにちは") for number in range(4)])
    await accounted_for(settings, policy.domains, timeout_s=OUTPUTS_S)
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
    outputs = await once_each(settings, policy)
    window = outputs.prediction_of("m4")["input"]["messages"]
    assert [m["message_id"] for m in window] == ["m0", "m1", "m2", "m3", "m4"]


@NOIDA
async def test_a_worker_stopped_in_the_middle_of_a_backlog_repeats_nothing(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    (first,) = await start(start_worker, "first")
    await send(settings, generated(3_000))
    await until_some_committed(settings)
    await stop_in_order(first, settings, left=0)
    assert 0 < sum((await committed(settings)).values()) < 3_000, "it was stopped too late to show anything"
    await start(start_worker, "second")
    await once_each(settings, policy)


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
