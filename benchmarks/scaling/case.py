"""One point of an axis: what is deployed, and what is sent to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Topic = Literal["messages", "listings"]
Store = Literal["memory", "rocksdb"]


@dataclass(frozen=True, slots=True)
class Event:
    """A record to send. Without a partition the key chooses."""

    event_id: str
    key: bytes
    value: bytes
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A deployment and the traffic it gets.

    `at` is the point on the axis. `traffic` is sent one part after the other to the same deployment, each measured on
    its own. `conversations` are held before anything is sent. `cores` are those that all processes share. `module` is
    what a worker is started by, and `settings` go to it beside the usual ones.
    """

    axis: str
    at: int
    title: str
    traffic: Mapping[str, Sequence[Event]]
    rules_dir: Path
    repository: Path
    topic: Topic = "messages"
    workers: int = 1
    cores: int = 2
    conversations: int = 0
    store: Store = "memory"
    module: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["message", "listing"]:
        """What the policy calls the events of its topic."""
        return "message" if self.topic == "messages" else "listing"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far each axis goes, and how many events are sent for one measurement.

    `usual_rules` and `usual_domains` are deployed where the axis is another one.
    """

    usual_rules: int
    usual_domains: int
    messages: int
    listings: int
    domains: tuple[int, ...]
    rules: tuple[int, ...]
    conversations: tuple[int, ...]
    workers: tuple[int, ...]
    images: tuple[int, ...]
    characters: tuple[int, ...]


#: Three message domains are what ships, and a thousand rules are what a large marketplace keeps.
RECORDED = Sizes(
    usual_rules=1_000,
    usual_domains=3,
    messages=10_000,
    listings=2_000,
    domains=(1, 3, 10, 30),
    rules=(100, 1_000, 10_000),
    conversations=(1_000, 100_000, 1_000_000),
    workers=(1, 2, 4),
    images=(0, 1, 3),
    characters=(15, 50, 150, 500),
)
#: Shows that everything works, and no more than that.
TRIAL = Sizes(
    usual_rules=50,
    usual_domains=1,
    messages=600,
    listings=60,
    domains=(1, 2),
    rules=(10, 50),
    conversations=(1_000, 5_000),
    workers=(1, 2),
    images=(0, 1, 3),
    characters=(15, 150),
)
