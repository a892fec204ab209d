"""Finds and removes the shared memory regions that Triton's stubs leave behind when they are killed."""

from __future__ import annotations

import os
from pathlib import Path

_SHM = Path("/dev/shm")  # noqa: S108  # where shm_open puts regions on Linux; a name, not a temporary file of ours
_MARK = "_shm_region_"


def regions_of_group(group: int) -> set[str]:
    """Names of the regions that processes of that group have on their command lines, as Triton's stubs do.

    The option that would give regions a prefix of our own is ignored for python-based backends.
    """
    names: set[str] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) != group:
                continue
            command = (process / "cmdline").read_bytes().decode("utf-8", "replace")
        except (OSError, ProcessLookupError):
            continue  # it ended while we looked
        names.update(argument for argument in command.split("\0") if _MARK in argument)
    return names


def remove_regions(names: set[str]) -> None:
    """Unlink the regions that are still there; each is 1 MB or more."""
    for name in names:
        (_SHM / Path(name).name).unlink(missing_ok=True)
