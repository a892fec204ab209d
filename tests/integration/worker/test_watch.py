"""A worker always ends: when something inside it gives up, and when it is told to, whatever the broker does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from streams.embedded.broker import EmbeddedBroker
from streams.kafka import topics
from streams.kafka.clients import admin
from streams.settings import Settings
from streams.worker import EXIT_FAILED, EXIT_STALLED, Worker
from tests.integration.conftest import DOMAINS, POLICY
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send

on_noida = pytest.mark.parametrize("broker", ["noida"], indirect=True)


@asynccontextmanager
async def running_worker(settings: Settings) -> AsyncIterator[tuple[Worker, asyncio.Task[int]]]:
    """A worker in this process, so that the test can reach inside, once it consumes."""
    worker = Worker(settings)
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(30):
            while not worker.health.consuming:
                assert not running.done(), running.exception()
                await asyncio.sleep(0.1)
        yield worker, running
    finally:
        if not running.done():
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait([running], timeout=20)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(number)


@pytest_asyncio.fixture
async def settings(kafka_settings: Settings) -> Settings:
    """Of a worker that has no models to wait for, with its topics made."""
    kafka_settings.data_dir.mkdir()
    made = await topics.create(kafka_settings, topics.catalogue(kafka_settings, DOMAINS))
    assert all(outcome.result == "created" for outcome in made)
    return kafka_settings.model_copy(update={"web_port": 0, "triton": "127.0.0.1:1", "stall_s": 3.0})


@pytest_asyncio.fixture
async def consuming(settings: Settings) -> AsyncIterator[tuple[Worker, asyncio.Task[int]]]:
    """A worker that consumes."""
    async with running_worker(settings) as started:
        yield started


@on_noida
async def test_a_crash_of_the_consumer_ends_the_worker(
    consuming: tuple[Worker, asyncio.Task[int]],
) -> None:
    """Faust answers e.g. a commit that Kafka refuses by marking its services as crashed, and then fetches nothing."""
    worker, running = consuming
    assert worker._pipeline is not None
    thread = worker._pipeline.app.consumer._thread
    await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(thread.crash(RuntimeError("commit refused")), thread.thread_loop)
    )
    async with asyncio.timeout(25):
        assert await running == EXIT_FAILED
    assert worker.health.failed == "RuntimeError: commit refused"


@on_noida
async def test_a_watch_that_fails_ends_the_worker(
    consuming: tuple[Worker, asyncio.Task[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, running = consuming
    assert worker._pipeline is not None

    def broken() -> None:
        raise LookupError("not assigned")

    monkeypatch.setattr(worker._pipeline.app.consumer, "standings", broken)
    async with asyncio.timeout(25):
        assert await running == EXIT_FAILED
    assert worker.health.failed == "LookupError: not assigned"


@on_noida
async def test_a_faust_that_stands_still_is_left_with_the_state_of_every_partition(
    consuming: tuple[Worker, asyncio.Task[int]], caplog: pytest.LogCaptureFixture
) -> None:
    """Its partitions are paused and nobody resumes them, the state that its users report after a rebalance."""
    worker, running = consuming
    assert worker._pipeline is not None
    consumer = worker._pipeline.app.consumer
    consumer.pause_partitions(consumer.assignment())
    await asyncio.sleep(0.5)  # a fetch under way ends
    await send(
        worker.settings, [message(f"m{n}", "いつ届きますか", transaction_id=f"t{n}") for n in range(20)]
    )
    async with asyncio.timeout(40):
        while not worker.health.stalled:  # noqa: ASYNC110 - what another task finds out
            await asyncio.sleep(0.05)
        assert not worker.health.ready
        assert await running == EXIT_STALLED
    (said,) = [r.getMessage() for r in caplog.records if "no progress" in r.getMessage()]
    for topic in ("messages", "listings", "reports", "decisions", "rescore"):
        for partition in range(worker.settings.partitions):
            assert f"{worker.settings.topic(topic)}-{partition}: " in said


@on_noida
async def test_a_fetch_that_died_is_noticed_although_it_can_tell_of_no_lag(
    consuming: tuple[Worker, asyncio.Task[int]],
) -> None:
    """What aiokafka knows of a log's end it knows from fetching; once that is dead, all looks done."""
    worker, running = consuming
    assert worker._pipeline is not None
    thread = worker._pipeline.app.consumer._thread

    async def kill_the_fetch() -> None:
        thread._consumer._fetcher._fetch_task.cancel()

    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(kill_the_fetch(), thread.thread_loop))
    await send(
        worker.settings, [message(f"m{n}", "いつ届きますか", transaction_id=f"t{n}") for n in range(20)]
    )
    async with asyncio.timeout(40):
        assert await running == EXIT_STALLED


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)
async def test_a_log_whose_end_no_record_reaches_is_no_stall(
    consuming: tuple[Worker, asyncio.Task[int]],
) -> None:
    """Transactions leave a marker after their last record; records expire before they are read."""
    worker, running = consuming
    settings = worker.settings
    sender = AIOKafkaProducer(
        bootstrap_servers=settings.broker, transactional_id=f"{settings.topic_prefix}tx"
    )
    await sender.start()
    try:
        async with sender.transaction():
            topic, key, value = message("m1", "いつ届きますか")
            await sender.send_and_wait(settings.topic(topic), value=value, key=key, partition=0)
    finally:
        await sender.stop()
    async with asyncio.timeout(20):
        while worker.health.lag.get(settings.topic("messages")) != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await asyncio.sleep(3 * worker.settings.stall_s)
    assert not running.done()
    assert worker.health.ready


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)
async def test_a_worker_that_comes_to_a_topic_whose_records_expired_has_nothing_to_do(
    settings: Settings,
) -> None:
    await send(settings, [message(f"m{n}", "いつ届きますか", transaction_id=f"t{n}") for n in range(20)])
    name = settings.topic("messages")
    async with admin(settings) as client:
        await client.delete_records(
            {TopicPartition(name, p): RecordsToDelete(before_offset=-1) for p in range(settings.partitions)}
        )
    async with running_worker(settings) as (worker, running):
        await asyncio.sleep(3 * settings.stall_s)
        assert not running.done()
        assert worker.health.lag[name] == 0


def _wait_until_it_answers(worker: WorkerProcess) -> None:
    while not worker.get("/healthz")[0]:
        assert worker.running.poll() is None, worker.log()
        time.sleep(0.1)


@pytest.mark.embedded
@pytest.mark.parametrize("moment", ["consuming", "starting"])
async def test_told_to_stop_it_ends_although_the_broker_is_frozen(moment: str, tmp_path: Path) -> None:
    """It took 30 s in every wait for the broker, more than Kubernetes and Docker grant."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "domains.yaml").write_text(POLICY)
    with EmbeddedBroker("noida", data_dir=tmp_path) as broker:
        settings = Settings(
            broker=broker.bootstrap,
            triton="127.0.0.1:1",
            rules_dir=rules,
            data_dir=tmp_path / "data",
            partitions=2,
            drain_s=0.5,
        )
        await topics.create(settings, topics.catalogue(settings, DOMAINS))
        worker = WorkerProcess(settings)
        try:
            if moment == "consuming":
                await worker.start().wait_ready(with_models=False)
            os.kill(broker.pid, signal.SIGSTOP)
            if moment == "starting":
                worker.start()
                await asyncio.to_thread(_wait_until_it_answers, worker)
            await worker.stop(timeout_s=20.0)
        finally:
            worker.kill()
            os.kill(broker.pid, signal.SIGCONT)
