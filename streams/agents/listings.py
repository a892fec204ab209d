"""Listings: decode, examine, begin to load the picture."""

from __future__ import annotations

from streams.agents.intake import count_unknown_fields
from streams.events import decode_listing
from streams.screening import Case, Examiner, Source


class ListingIntake:
    """What the listings agent does with a record."""

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner

    def examine(self, source: Source) -> Case:
        """The case of a `listings` record. Raises `BadRecord`."""
        decoded = decode_listing(
            source.value, key=source.key, timestamp_us=source.timestamp_us, headers=source.headers
        )
        count_unknown_fields("listings", decoded)
        return self._examiner.listing(decoded, source)
