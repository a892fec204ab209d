"""What a mutator is: a name, the topics that it is for, and a change drawn by chance."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.faults.fuzz.specimens import Specimen, Topic, encoded

EVENTS: Final[tuple[Topic, ...]] = ("messages", "listings", "reports", "decisions")
TEXTS: Final = {
    "messages": ("text",),
    "listings": ("title", "description"),
    "reports": ("reason",),
    "decisions": ("note",),
}
IDS: Final = {
    "messages": "message_id",
    "listings": "listing_id",
    "reports": "report_id",
    "decisions": "alert_id",
}
TIMES: Final = {
    "messages": "sent_at",
    "listings": "updated_at",
    "reports": "reported_at",
    "decisions": "decided_at",
}

Change = Callable[[Random, Specimen], Specimen]


@dataclass(frozen=True, slots=True)
class Mutator:
    """`share` is how often it is drawn beside the others: records of megabytes are dear."""

    name: str
    change: Change
    topics: tuple[Topic, ...] = EVENTS
    share: float = 1.0


def of_value(change: Callable[[Random, bytes], bytes]) -> Change:
    """A change of the bytes of the value."""
    return lambda rng, specimen: replace(specimen, value=change(rng, specimen.value or b""))


def of_body(change: Callable[[Random, dict[str, Any], Specimen], Any]) -> Change:
    """A change of the JSON object, in place or, if it returns something, by that. Other values stay as they are."""

    def changed(rng: Random, specimen: Specimen) -> Specimen:
        try:
            body = json.loads(specimen.value or b"")
        except (ValueError, RecursionError):
            return specimen  # an earlier mutation left no JSON
        if not isinstance(body, dict):
            return specimen
        returned = change(rng, body, specimen)
        return replace(specimen, value=encoded(body if returned is None else returned))

    return changed


def of_text(text: Callable[[Random, str], str]) -> Change:
    """One of the texts that people read, made from what it was."""

    def changed(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
        name = rng.choice(TEXTS[specimen.topic])
        written = body.get(name)
        body[name] = text(rng, written if isinstance(written, str) else "")

    return of_body(changed)
