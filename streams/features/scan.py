"""How the finders of personal data report places in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Start and end (exclusive) of each find.
Places = Iterator[tuple[int, int]]


def whole(pattern: re.Pattern[str], text: str) -> Places:
    """Where the pattern matches."""
    return (match.span() for match in pattern.finditer(text))


def first_group(pattern: re.Pattern[str], text: str) -> Places:
    """Where the first group of the pattern's matches stands: the words around it are not personal data."""
    return (match.span(1) for match in pattern.finditer(text))
