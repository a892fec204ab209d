"""The worker's watch over itself: what gives up inside it must end it, or no supervisor will start another."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from streams.kafka import topics
from streams.settings import Settings
from streams.worker import EXIT_FAILED, Worker
from tests.integration.conftest import DOMAINS

pytestmark = pytest.mark.parametrize("broker", ["noida"], indirect=True)


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
