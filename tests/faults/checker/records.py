"""A record as the checker sees it, from Kafka or from a test."""

from __future__ import annotations

from typing import NamedTuple


class TopicRecord(NamedTuple):
    """`topic` without the campaign's prefix; `at_ms` is the record's timestamp."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    def header(self, name: str) -> str | None:
        """The header's value as text, or None."""
        return next(
            (value.decode("utf-8", "replace") for known, value in self.headers if known == name), None
        )
