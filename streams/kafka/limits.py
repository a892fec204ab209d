"""How large a record may be, in one place: topics, producers and consumers must agree."""

from __future__ import annotations

from typing import Final

from streams.settings import Settings

#: Room for a dead letter's own headers: the detail is up to 4 kB, the topic's name up to 249 characters.
HEADER_ROOM_BYTES: Final = 64 << 10


def largest_input_bytes(settings: Settings) -> int:
    """The largest record, key and headers included, that an input topic takes.

    Twice the largest record that is screened, so that a larger one arrives and becomes a dead letter with its reason
    instead of an error at a producer that nobody watches.
    """
    return 2 * settings.max_record_bytes


def largest_message_bytes(settings: Settings) -> int:
    """The largest record that Sekisho itself writes: the largest input as a dead letter, with its headers."""
    return largest_input_bytes(settings) + HEADER_ROOM_BYTES
