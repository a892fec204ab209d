"""Work beside the screening: an error ends it, is logged and shown, and stops nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Background:
    """Tasks of one kind. `lost` says in the log what a worker no longer does once one of them has failed."""

    def __init__(self, lost: str) -> None:
        self._lost = lost
        self._tasks: list[asyncio.Task[None]] = []
        #: Why a task ended that should not have; None while all is well.
        self.failed: str | None = None

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start the work in the running event loop."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    async def stop(self) -> None:
        """End all of it and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error here is a defect, but one that must not stop the screening."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed = f"stopped: {type(error).__name__}: {error}"
            logger.error("%s: %s", self._lost, self.failed, exc_info=error)
