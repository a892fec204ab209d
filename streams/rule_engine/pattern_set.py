"""Patterns without a literal, which would have to be tried on every text: one RE2 set names those that match.

Most of them ask for a digit, an @ or a hyphen somewhere. A text that holds no such character is not even shown to
the set: nine of ten Japanese messages hold no digit.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import re2

from streams.rule_engine.regexes import options
from streams.rule_engine.required import required_characters
from streams.rule_engine.words import Atom

log = logging.getLogger(__name__)

#: A pattern in the set that every text matches. RE2's Python binding answers None both for "no match" and for "the
#: automaton ran out of memory" (google/re2 #136); with this in it, None can only mean the latter.
_CANARY = "(?s:.)"
#: Enough for the automaton of some 300 patterns without literals; with RE2's default of 8 MiB it is rebuilt all the
#: time (10 µs for a message instead of 1.2).
SET_MEMORY_BYTES = 64 << 20


class PatternSet:
    """Some patterns, each with its number; made once, and good for any thread."""

    __slots__ = ("_gated", "_ungated", "atoms")

    def __init__(self, patterns: Mapping[str, Atom], *, memory_bytes: int = SET_MEMORY_BYTES) -> None:
        self.atoms: tuple[Atom, ...] = tuple(patterns.values())
        asked_for: set[str] = set()
        gated: dict[str, Atom] = {}
        for pattern, atom in patterns.items():
            if (characters := required_characters(pattern)) is not None:
                asked_for |= characters
                gated[pattern] = atom
        ungated = {pattern: atom for pattern, atom in patterns.items() if pattern not in gated}
        self._gated = _Gated(asked_for, _matcher(gated, memory_bytes)) if gated else None
        self._ungated = _matcher(ungated, memory_bytes) if ungated else None

    def candidates(self, text: str) -> Sequence[Atom]:
        """The patterns that match a text, or that may because there is no telling."""
        if (
            not text
        ):  # RE2's canary needs a character, and so does every pattern that the checker lets through
            return ()
        found = () if self._gated is None else self._gated.candidates(text)
        return found if self._ungated is None else (*found, *self._ungated(text))


class _Gated:
    """A matcher that is asked only about texts with one of some characters."""

    __slots__ = ("_holds_one", "_match")

    def __init__(self, characters: set[str], match: Callable[[str], Sequence[Atom]]) -> None:
        self._holds_one = re.compile(f"[{re.escape(''.join(sorted(characters)))}]").search
        self._match = match

    def candidates(self, text: str) -> Sequence[Atom]:
        return self._match(text) if self._holds_one(text) else ()


def _matcher(patterns: Mapping[str, Atom], memory_bytes: int) -> Callable[[str], Sequence[Atom]]:
    atoms = tuple(patterns.values())
    made = _compiled(patterns, memory_bytes)
    if made is None:
        return lambda _: atoms

    def match(text: str) -> Sequence[Atom]:
        numbers = made.Match(text)
        if numbers is None:  # out of memory
            return atoms
        return [atoms[number - 1] for number in numbers if number > 0]

    return match


def _compiled(patterns: Mapping[str, Atom], memory_bytes: int) -> Any | None:  # noqa: ANN401 - re2 has no types
    """One RE2 set of all patterns, the canary at index 0. None if there are too many for one set."""
    pattern_set = re2.Set.SearchSet(options(memory_bytes))
    pattern_set.Add(_CANARY)
    for regex in patterns:
        pattern_set.Add(regex)
    try:
        pattern_set.Compile()
    except re2.error:
        log.warning("%d patterns are too many for one RE2 set: each is tried on every text", len(patterns))
        return None
    return pattern_set
