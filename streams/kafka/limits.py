"""How large a record may be, in one place: topics, producers and consumers must agree."""

from __future__ import annotations

from typing import Final

from streams.settings import Settings

#: Room for a dead letter's headers (detail up to 4 kB) and the original's own beside the largest value.
HEADER_ROOM_BYTES: Final = 64 << 10
#: Brokers that ignore a topic's own limit (noida) refuse a batch above 1 MB, like Apache Kafka's default of
#: 1,048,588 bytes. A value cut to this fits below it together with a 64 kB key and headers of as much.
SMALL_BROKER_VALUE_BYTES: Final = 900_000


def largest_message_bytes(settings: Settings) -> int:
    """The largest record, key and headers included, that any topic takes.

    Twice the largest record that is screened, so that a larger one arrives and becomes a dead letter with its reason
    instead of an error at a producer that nobody watches.
    """
    return 2 * settings.max_record_bytes + HEADER_ROOM_BYTES
