"""Which facts of an event's input are counted by the hour (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from streams.alerts import Screened


def facts_of(screened: Screened, notes: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Names and how often each holds for this event: `events` 1, and whatever else drift compares."""
    yield "events", 1
    for note in (*screened.notes, *notes):
        yield f"note:{note}", 1
