"""Where the archive's files stand: a folder of this machine, or any address that fsspec opens.

Both promise the same: a file appears whole or not at all, and a name that is taken is not written again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, cast

from streams.inference.durable import sole_writer, sync

#: Files on their way into a local archive; what stands here after a crash was never part of it.
WRITING: Final = "_writing"


class NameTakenError(RuntimeError):
    """A file of that name is there already: somebody else archives to the same place."""


class Target(Protocol):
    """A place for files. Paths are from the archive's root, with `/`."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other archives out for as long as it is held, where the place can do that."""

    def paths(self) -> list[str]:
        """All Parquet files."""

    def create(self, path: str, content: bytes) -> None:
        """Make a file, whole or not at all. Raises `NameTakenError`."""

    def open(self, path: str) -> BinaryIO:
        """A file to read."""


def target_at(where: str) -> Target:
    """The place that a path or an fsspec address (`s3://bucket/folder`) names.

    Raises ImportError when the driver for the address is not installed, ValueError for an unknown kind.
    """
    if "://" not in where:
        return LocalTarget(Path(where))
    from fsspec.core import url_to_fs

    filesystem, root = url_to_fs(where)
    if "file" in (filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)):
        return LocalTarget(Path(root))
    return StoreTarget(filesystem, root)


class LocalTarget:
    """A folder. A second archive into it is refused, also from another process."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._writing = root / WRITING

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, and clear away what a crash left half written. Raises `durable.BusyError`, OSError."""
        self._root.mkdir(parents=True, exist_ok=True)
        with sole_writer(self._root):
            self._writing.mkdir(exist_ok=True)
            for left in self._writing.iterdir():
                left.unlink()
            yield

    def paths(self) -> list[str]:
        """All Parquet files."""
        return [str(path.relative_to(self._root).as_posix()) for path in self._root.rglob("*.parquet")]

    def create(self, path: str, content: bytes) -> None:
        """Write beside, have it on the disk, then give it its name: a hard link never replaces what is there."""
        final = self._root / path
        self._writing.mkdir(parents=True, exist_ok=True)
        beside = self._writing / f"{final.name}.{secrets.token_hex(4)}"
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(beside, final)
        except FileExistsError as error:
            raise NameTakenError(f"{final} is there already: does another archive write here?") from error
        # every folder up to the root may be new, and a file in a folder that is not on the disk is not either
        folder = final.parent
        while folder != self._root:
            sync(folder)
            folder = folder.parent
        sync(self._root)
        beside.unlink()

    def open(self, path: str) -> BinaryIO:
        """A file to read."""
        return (self._root / path).open("rb")


class StoreTarget:
    """An object store by fsspec, e.g. `s3://`: one put makes an object, whole or not at all.

    Whether two archives at once can both have a name depends on the store's driver: where it knows a put that
    creates (`If-None-Match` of S3), one of them fails; else the name is only looked up before the put.
    """

    def __init__(self, filesystem: Any, root: str) -> None:  # noqa: ANN401 - fsspec has no types
        self._files = filesystem
        self._root = root.rstrip("/")

    def alone(self) -> AbstractContextManager[None]:
        """Nobody can be kept out of a store; see `create`."""
        return nullcontext()

    def paths(self) -> list[str]:
        """All Parquet files."""
        self._files.invalidate_cache()  # drivers remember listings
        found: list[str] = self._files.find(self._root)
        return [path.removeprefix(f"{self._root}/") for path in found if path.endswith(".parquet")]

    def create(self, path: str, content: bytes) -> None:
        """One put of the whole object."""
        full = f"{self._root}/{path}"
        try:
            self._files.pipe_file(full, content, mode="create")
        except FileExistsError as error:
            raise NameTakenError(f"{full} is there already: does another archive write here?") from error

    def open(self, path: str) -> BinaryIO:
        """An object to read."""
        return cast("BinaryIO", self._files.open(f"{self._root}/{path}", "rb"))
