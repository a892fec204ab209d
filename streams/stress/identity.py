"""What makes a stress run's events recognisable: the ids they carry and the header they are sent with (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

#: Every id of every event of every stress run begins so; marketplaces' own ids do not.
PREFIX: Final = "stress-"
#: Header of the records sent, with the event's id; dead letters keep it.
HEADER: Final = "sekisho.stress"


def of_a_stress_run(ids: Iterable[str]) -> bool:
    """The event with these ids was sent by a stress run: no statistic, label or review may count it."""
    return any(identifier.startswith(PREFIX) for identifier in ids)


def new_run(at: datetime, entropy: bytes) -> str:
    """The name of a run, `stress-20261121T180000Z-3f9a1c`: two runs of the same second differ by their entropy."""
    return f"{PREFIX}{at:%Y%m%dT%H%M%SZ}-{entropy.hex()}"


def event_id(run: str, number: int) -> str:
    """The id of the event of that number, a message's or a listing's."""
    return f"{run}-{number}"


def number_of(run: str, identifier: str) -> int | None:
    """The number of the event with this id; None for an event of somebody else's."""
    rest = identifier.removeprefix(f"{run}-")
    return int(rest) if rest != identifier and rest.isascii() and rest.isdigit() else None
