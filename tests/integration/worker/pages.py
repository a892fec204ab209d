"""What a worker shows of itself, once it has come to know what a test waits for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from tests.integration.worker.process import WorkerProcess

Page = dict[str, Any]


async def page_of(
    worker: WorkerProcess, path: str, *, with_field: str, settled: Callable[[Page], bool]
) -> Page:
    """The worker's page once it has the field, which it has not before it was counted, and is as expected."""
    deadline = time.monotonic() + 90
    while True:
        _, body = await asyncio.to_thread(worker.get, path)
        page: Page = json.loads(body) if body else {}
        if page.get(with_field) is not None and settled(page):
            return page
        assert time.monotonic() < deadline, f"{page}\n{worker.log()[-2000:]}"
        await asyncio.sleep(0.5)
