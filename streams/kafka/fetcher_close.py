"""Closing a consumer whose broker is away: aiokafka cancels whoever closes it, and leaves its connections open.

`Fetcher.close` cancels the fetches that are under way and awaits each (aiokafka/consumer/fetcher.py). A fetch that was
refused a moment ago sleeps before it is tried again; cancelled there, it ends cancelled, and awaiting it raises
CancelledError in the caller, who was not cancelled by anybody: a task that reads in the background is gone without a
word, and the client behind the consumer is never closed. Importing this module corrects it: they are waited for together,
and how they ended stays with them.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiokafka.consumer.fetcher import Fetcher


async def close(self: Any) -> None:  # noqa: ANN401 - aiokafka's Fetcher, which has no types
    """As aiokafka's own, but for the last two lines."""
    self._closed = True
    self._fetch_task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await self._fetch_task
    for waiter in self._fetch_waiters:
        self._notify(waiter)
    for fetch in self._pending_tasks:
        fetch.cancel()
    await asyncio.gather(*self._pending_tasks, return_exceptions=True)


#: What aiokafka does itself, for the test that says when this correction can go.
stock_close = Fetcher.close
Fetcher.close = close
