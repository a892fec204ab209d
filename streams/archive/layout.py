"""Where a record's file stands in the archive, and what a file says about the records in it (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

#: What can be archived, by name, as `--topics` takes it; `alerts` stands for the topics of all domains.
DATASETS: Final = ("predictions", "alerts", "decisions", "alerted", "deadletter")
#: What is archived when nothing is said: what measurements and training are made from.
USUAL: Final = ("predictions", "alerts", "decisions")
#: Version of the layout and of `Claim`; a reader that finds another refuses.
FORMAT: Final = 1

_ALERTS: Final = "alerts."
_NAME: Final = re.compile(r"(?P<topic>.+)-(?P<partition>\d{5})-(?P<first>\d{20})\.parquet")


class ForeignFileError(ValueError):
    """A file of the archive says other things than this archive would have written; the message names it."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which records a file holds: all that Kafka had of one partition from `first` to `last`, in order.

    `topic` is the full name. `gap` are the offsets [from, to) before `first` that Kafka had deleted before anybody
    archived them. `last_at_ms` is Kafka's timestamp of the last record: it tells a topic that was made anew, whose
    offsets begin again, from the one that was archived.
    """

    format: int
    topic: str
    partition: int
    first: int
    last: int
    rows: int
    last_at_ms: int
    gap: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file's name tells: which topic (without prefix) and partition, and the offset it begins at."""

    topic: str
    partition: int
    first: int


def topics_of(datasets: Iterable[str], existing: Iterable[str], prefix: str) -> dict[str, str]:
    """Those of the existing topics (full names) that belong to the data sets, each with its name without prefix."""
    wanted = set(datasets)
    found = {}
    for name in sorted(existing):
        if name.startswith(prefix):
            topic = name.removeprefix(prefix)
            if dataset_of(topic) in wanted:
                found[name] = topic
    return found


def dataset_of(topic: str) -> str:
    """The data set that a topic (without prefix) belongs to: its own name, `alerts` for `alerts.<domain>`."""
    return "alerts" if topic.startswith(_ALERTS) else topic


def folder_of(topic: str, at_ms: int) -> str:
    """The folder, from the archive's root, of a file whose first record has this timestamp (UTC)."""
    date = datetime.fromtimestamp(at_ms / 1000, tz=UTC).date().isoformat()
    domain = f"domain={topic.removeprefix(_ALERTS)}/" if topic.startswith(_ALERTS) else ""
    return f"{dataset_of(topic)}/{domain}date={date}"


def path_of(topic: str, partition: int, first: int, at_ms: int) -> str:
    """Where the file that begins with this record stands.

    The name says where a file begins and not where it ends: two archives at the same place thus want the same name
    for what they would both write, and only one can have it.
    """
    return f"{folder_of(topic, at_ms)}/{topic}-{partition:05d}-{first:020d}.parquet"


def named(path: str) -> FileName | None:
    """What the name of a file tells; None for one that is not of this archive."""
    found = _NAME.fullmatch(path.rpartition("/")[2])
    return FileName(found["topic"], int(found["partition"]), int(found["first"])) if found else None


def newest_files(paths: Iterable[str]) -> dict[tuple[str, int], str]:
    """The file of each topic (without prefix) and partition that begins last: where an archive goes on."""
    newest: dict[tuple[str, int], tuple[int, str]] = {}
    for path in paths:
        name = named(path)
        if name is not None:
            place = (name.topic, name.partition)
            newest[place] = max(newest.get(place, (-1, "")), (name.first, path))
    return {place: path for place, (_, path) in newest.items()}


def day_of(at_ms: int) -> int:
    """Days since 1970-01-01 (UTC)."""
    return at_ms // 86_400_000
