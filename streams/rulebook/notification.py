"""Hears from the operating system (inotify and its like) that files of the rule directory changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from watchfiles import awatch

from streams.rulebook.files import LISTS_DIR

log = logging.getLogger(__name__)

#: Editors write several files at a save; they are told of once.
_DEBOUNCE_MS = 200


async def hear_of_changes(
    directory: Path, changed: asyncio.Event, stopped: asyncio.Event, *, poll_s: float
) -> None:
    """Sets `changed` at every notification, until `stopped`. Where there are none it does nothing but say so.

    Network file systems tell nobody of changes: who waits for `changed` must look at the files every `poll_s` too.
    """
    while not stopped.is_set():
        try:
            await _hear_directory(directory, changed, stopped, poll_s)
        except OSError as error:  # the directory is away, or there are no more inotify watches
            log.warning("cannot watch %s (%s); it is compared every %g s", directory, error, poll_s)
            await asyncio.sleep(poll_s)


async def _hear_directory(
    directory: Path, changed: asyncio.Event, stopped: asyncio.Event, poll_s: float
) -> None:
    """Until a directory is another one than it was: a watch follows what it was set on, not the name."""
    watched = _inodes(directory)
    changes = awatch(
        *watched,
        stop_event=stopped,
        recursive=False,
        debounce=_DEBOUNCE_MS,
        rust_timeout=round(poll_s * 1000),
        yield_on_timeout=True,
    )
    async for found in changes:
        if found:
            changed.set()
        if _inodes(directory) != watched:
            return


def _inodes(directory: Path) -> dict[Path, int]:
    """The directories to watch; raises OSError if that of the rules is away."""
    watched = {directory: directory.stat().st_ino}
    with contextlib.suppress(FileNotFoundError):
        watched[directory / LISTS_DIR] = (directory / LISTS_DIR).stat().st_ino
    return watched
