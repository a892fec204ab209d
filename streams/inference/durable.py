"""File changes that survive a power cut whole or not at all, and one writer of a directory at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BusyError(RuntimeError):
    """Another process is changing the directory."""


def sync(path: Path) -> None:
    """Have a file's content, or a directory's entries, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Give a file new content: readers and a crash see the old one or the new one, never a part."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    sync(new)
    new.replace(path)
    sync(path.parent)


@contextmanager
def sole_writer(directory: Path) -> Iterator[None]:
    """Hold the directory against other callers of this function, in any process; ends with the process at the latest.

    Raises BusyError at once when somebody else holds it, and OSError when the directory cannot be opened.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"another command is changing {directory}; try again when it is done") from error
        yield
    finally:
        os.close(descriptor)
