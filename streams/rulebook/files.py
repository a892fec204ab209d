"""The rule files of a directory as they are at one moment: names, contents and a hash of both."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from streams.strict_yaml import MAX_BYTES

#: A file in which somebody has confirmed a set that drops many rules: it holds the set's hash.
ACCEPTED_FILE = "ACCEPTED"
#: Kubernetes mounts a ConfigMap as links into the directory `..data`, which itself is a link that is swapped.
_CONFIGMAP_DATA = "..data"
MAX_FILES = 1_000
#: All files together; 10,000 rules are 5 MB. They are read whole at every look, by the worker itself.
MAX_TOTAL_BYTES = 64 << 20
#: Word lists, one entry a line, stand in this directory beside the rule files.
LISTS_DIR = "lists"


class TooMuchToRead(OSError):
    """A directory that can hardly be one of rules."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's name as shown to people, and its bytes (one more than the limit if it is too large)."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rule files at one moment. `accepted` is what the file ACCEPTED says."""

    files: tuple[SourceFile, ...]
    digest: str
    accepted: str = ""


def snapshot(files: Iterable[SourceFile], accepted: str = "") -> Snapshot:
    """A snapshot of files that were read elsewhere."""
    ordered = tuple(sorted(files, key=lambda file: file.name))
    digest = hashlib.sha256()
    for file in ordered:
        name = _name_within(Path(file.name)).encode("utf-8", "surrogateescape")
        digest.update(b"%d %s\n%d\n" % (len(name), name, len(file.content)) + file.content)
    return Snapshot(ordered, digest.hexdigest()[:16], accepted)


def take_snapshot(directory: Path) -> Snapshot:
    """Read the rule files of a directory, `*.yaml`, `*.yml` and lists/*.txt, without hidden files and editors' backups.

    All files come from one revision of a ConfigMap. Raises OSError (the directory is away, a file cannot be read, there
    is far too much).
    """
    real = directory / _CONFIGMAP_DATA
    base = Path(os.path.realpath(real)) if real.exists() else directory
    names = sorted(entry.name for entry in os.scandir(base) if is_rule_file(entry.name) and entry.is_file())
    if (base / LISTS_DIR).is_dir():
        names += sorted(
            f"{LISTS_DIR}/{entry.name}"
            for entry in os.scandir(base / LISTS_DIR)
            if is_list_file(entry.path) and entry.is_file()
        )
    if len(names) > MAX_FILES:
        raise TooMuchToRead(f"{directory} holds {len(names)} rule files; the limit is {MAX_FILES}")
    total = sum(min((base / name).stat().st_size, MAX_BYTES) for name in names)
    if total > MAX_TOTAL_BYTES:
        raise TooMuchToRead(f"{directory} holds {total} bytes of rules; the limit is {MAX_TOTAL_BYTES}")
    files = [SourceFile(str(directory / name), read_source(base / name)) for name in names]
    accepted = base / ACCEPTED_FILE
    return snapshot(files, accepted.read_text("ascii", "replace")[:100].strip() if accepted.is_file() else "")


def is_rule_file(name: str) -> bool:
    """Whether a file is one of rules by its name."""
    return name.endswith((".yaml", ".yml")) and not name.startswith((".", "#"))


def is_list_file(path: str) -> bool:
    """Whether a file is a word list by its path."""
    parts = Path(path).parts
    return (
        len(parts) > 1 and parts[-2] == LISTS_DIR and parts[-1].endswith(".txt") and parts[-1][0] not in ".#"
    )


def _name_within(path: Path) -> str:
    return f"{LISTS_DIR}/{path.name}" if is_list_file(str(path)) else path.name


def read_source(path: Path) -> bytes:
    """A file's bytes, as far as the limit and one more, which the reader then refuses."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
