"""A disk of a few megabytes for one worker's table store, which can be filled up and emptied again."""

from __future__ import annotations

import contextlib
import errno
import subprocess
from io import FileIO
from pathlib import Path
from typing import Final

_FILLER: Final = "filler"
_CHUNK: Final = b"\0" * (1 << 16)


class SmallDiskUnavailable(RuntimeError):
    """This machine does not let us mount one; the message says why."""


class SmallDisk:
    """A tmpfs of its own at `path`. Needs the right to mount, which is root's."""

    def __init__(self, path: Path, *, size_mib: int = 256) -> None:
        self.path = path
        self._size_mib = size_mib
        self._mounted = False

    def mount(self) -> None:
        """Raises SmallDiskUnavailable."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={self._size_mib}m", "none", str(self.path)],
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise SmallDiskUnavailable("there is no mount command") from error
        if done.returncode != 0:
            raise SmallDiskUnavailable(f"mounting a tmpfs failed: {done.stderr.strip()}")
        self._mounted = True

    def fill(self) -> None:
        """Write until not a byte is free."""
        with (self.path / _FILLER).open("wb", buffering=0) as file:
            for size in (len(_CHUNK), 4096, 1):
                with contextlib.suppress(_Full):
                    while True:
                        _write(file, _CHUNK[:size])

    def empty(self) -> None:
        """Give the space back."""
        (self.path / _FILLER).unlink(missing_ok=True)

    def unmount(self) -> None:
        """Let go of it; lazily, because a killed worker's files may be open a moment longer."""
        if self._mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)
            self._mounted = False


class _Full(Exception):
    """No space is left."""


def _write(file: FileIO, data: bytes) -> None:
    try:
        written = file.write(data)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _Full from error
    if written < len(data):
        raise _Full
