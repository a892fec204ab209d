"""Work beside the screening: an error in it is logged and shown, and stops nothing else."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Background:
    """Tasks of one kind. `lost` says in the log what a worker no longer does once one of them has failed."""

    def __init__(self, lost: str) -> None:
        self._lost = lost
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped: str | None = None
        self._stumbled: str | None = None
        self._told: set[tuple[str, str, int | None]] = set()

    @property
    def failed(self) -> str | None:
        """Why a task ended that should not have, or why the last round of one failed; None while all is well."""
        return self._stopped or self._stumbled

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start the work in the running event loop."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    async def attempt(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One round of what a task does again and again. An error is shown until a round succeeds.

        It is logged once for each place that it comes from: rounds are many.
        """
        try:
            await work()
        # Whatever it is, it comes from one record or one moment, and the next round may do without it. A task that
        # ended would be missed until somebody starts the worker anew.
        except Exception as error:
            self._stumbled = f"{type(error).__name__}: {error}"
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = type(error).__name__, where.filename, where.lineno
            if kind not in self._told:
                self._told.add(kind)
                logger.exception("%s, until a round succeeds: %s", self._lost, self._stumbled)
        else:
            self._stumbled = None

    async def stop(self) -> None:
        """End all of it and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error here is a defect, but one that must not stop the screening."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._stopped = f"stopped: {type(error).__name__}: {error}"
            logger.error("%s: %s", self._lost, self._stopped, exc_info=error)
