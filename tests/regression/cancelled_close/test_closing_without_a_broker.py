"""A consumer that was closed while its broker was away cancelled the task that closed it: a worker's reading of alerts
and verdicts ended without a word when the broker did, and was never tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from streams.embedded.broker import EmbeddedBroker
from streams.kafka.clients import consumer
from streams.kafka.fetcher_close import close, stock_close
from streams.settings import Settings
from tests.regression.faust.harness import make_topic


async def refused(client: AIOKafkaConsumer) -> None:
    """Return while a fetch that was refused sleeps before its next try."""
    async with asyncio.timeout(20):
        while True:
            fetches = client._fetcher._pending_tasks
            if any("sleep" in str(getattr(task.get_coro(), "cr_await", "")) for task in fetches):
                return
            await client.getmany(timeout_ms=10)


async def closed_without_broker(directory: Path, how: Callable[..., Awaitable[None]]) -> bool:
    """Whether a consumer that is closed while its broker is away leaves its client closed."""
    with EmbeddedBroker("noida", None, directory) as broker:
        await make_topic(broker.bootstrap, "t", 1)
        async with consumer(Settings(broker=broker.bootstrap), "t") as client:
            await client.getmany(timeout_ms=100)
            broker.stop()
            await refused(client)
            client._fetcher.close = lambda: how(client._fetcher)
        return client._client._sync_task is None


async def test_closing_ends_and_closes_everything(tmp_path: Path) -> None:
    assert await closed_without_broker(tmp_path, close)


async def test_stock_aiokafka_still_cancels_its_caller(tmp_path: Path) -> None:
    with pytest.raises(asyncio.CancelledError):
        await closed_without_broker(tmp_path, stock_close)
