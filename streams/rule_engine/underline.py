"""Text with places marked below it, in columns of a terminal: ＬＩＮＥ is eight wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

#: Characters shown on either side of the places.
CONTEXT = 30


def underlined(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """One line of text around the places (start, end) and one with ^ below each; only the text if there are none.

    Line breaks and control characters are shown as spaces, so that the second line stays below the first.
    """
    if not spans:
        return [_one_line(text[: 2 * CONTEXT]) + ("…" if len(text) > 2 * CONTEXT else "")]
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    begin, finish = max(0, first - CONTEXT), min(len(text), last + CONTEXT)
    finish = min(finish, begin + 6 * CONTEXT)  # places far apart: the first ones
    shown = ["…"] if begin else []
    marks = [" "] if begin else []
    for index in range(begin, finish):
        character = _one_line(text[index])
        marked = any(start <= index < end for start, end in spans)
        shown.append(character)
        marks.append(("^" if marked else " ") * _columns(text[index]))
    return ["".join(shown) + ("…" if finish < len(text) else ""), "".join(marks).rstrip()]


def _one_line(text: str) -> str:
    return "".join(
        " " if character.isspace() or unicodedata.category(character) in ("Cc", "Cs") else character
        for character in text
    )


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
