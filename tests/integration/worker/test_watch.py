"""A worker always ends: when something inside it gives up, and when it is told to, whatever the broker does."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from streams.embedded.broker import EmbeddedBroker
from streams.kafka import topics
from streams.settings import Settings
from streams.worker import EXIT_FAILED, Worker
from tests.integration.conftest import DOMAINS, POLICY
from tests.integration.worker.process import WorkerProcess

on_noida = pytest.mark.parametrize("broker", ["noida"], indirect=True)


@pytest_asyncio.fixture
async def consuming(kafka_settings: Settings) -> AsyncIterator[tuple[Worker, asyncio.Task[int]]]:
    """A worker in this process, so that the test can reach inside; it has no models to wait for."""
    kafka_settings.data_dir.mkdir()
    made = await topics.create(kafka_settings, topics.catalogue(kafka_settings, DOMAINS))
    assert all(outcome.result == "created" for outcome in made)
    worker = Worker(kafka_settings.model_copy(update={"web_port": 0, "triton": "127.0.0.1:1"}))
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
