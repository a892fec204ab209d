"""One pass over one text for all rules at once: which words and patterns stand where.

All words of a view are in one Aho-Corasick automaton (Aho & Corasick 1975), so the cost hardly grows with the number
of rules. Patterns run only on texts that hold one of their required literals; the few that have none are narrowed
down by one RE2 set.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import ahocorasick_rs
import re2

from streams.rule_engine.regexes import compile_regex, options, required_literals
from streams.rule_engine.rule import View
from streams.rule_engine.views import MAX_CHARS, fold, in_view, safe

log = logging.getLogger(__name__)

Atom: TypeAlias = int
Interval: TypeAlias = tuple[int, int]

#: A pattern in the set that every text matches. RE2's Python binding answers None both for "no match" and for "the
#: automaton ran out of memory" (google/re2 #136); with this in it, None can only mean the latter.
_CANARY = "(?s:.)"
#: Enough for the automaton of some 300 patterns without literals; with RE2's default of 8 MiB it is rebuilt all the
#: time (10 µs for a message instead of 1.2).
_SET_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found in one text. Good for the rule set of the same `version`; keep it with the message.

    Only the first 10,000 characters are looked through; `truncated` says that there were more. `hits` holds for each
    word or pattern found its places in its view, first to last.
    """

    version: str
    text: str
    truncated: bool
    views: Mapping[View, str]
    hits: Mapping[Atom, Sequence[Interval]]


@dataclass(slots=True)
class Vocabulary:
    """The words and patterns of a rule set, each with a number (an atom). Filled by the compiler of rules."""

    words: dict[View, dict[str, Atom]] = field(default_factory=lambda: {"safe": {}, "fold": {}})
    patterns: dict[str, Atom] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)  # by atom, in characters; 0 for a pattern

    def word(self, view: View, written: str) -> Atom:
        """The atom of a word in a view. Raises ValueError if nothing of the word is left in that view."""
        form = in_view(written, view)
        if not form.strip():
            raise ValueError(f'nothing of "{written}" is left in the {view} view')
        words = self.words[view]
        if form not in words:
            words[form] = self._next(len(form))
        return words[form]

    def pattern(self, regex: str) -> Atom:
        """The atom of a pattern, looked for in the safe view."""
        if regex not in self.patterns:
            self.patterns[regex] = self._next(0)
        return self.patterns[regex]

    def _next(self, length: int) -> Atom:
        self.lengths.append(length)
        return len(self.lengths) - 1


class Scanner:
    """The automata of a vocabulary. Not changed after it is made, so any thread may use it."""

    def __init__(
        self, vocabulary: Vocabulary, version: str, *, set_memory_bytes: int = _SET_MEMORY_BYTES
    ) -> None:
        self.version = version
        self._patterns = {atom: compile_regex(regex) for regex, atom in vocabulary.patterns.items()}
        self._patterns_by_literal: dict[Atom, list[Atom]] = {}
        without_literal: dict[str, Atom] = {}
        for regex, atom in vocabulary.patterns.items():
            literals = required_literals(regex)
            for literal in literals:
                self._patterns_by_literal.setdefault(vocabulary.word("safe", literal), []).append(atom)
            if not literals:
                without_literal[regex] = atom
        self._words = {
            view: (ahocorasick_rs.AhoCorasick(list(words)), list(words.values()))
            for view, words in vocabulary.words.items()
            if words
        }
        self._set, self._set_atoms = _pattern_set(without_literal, set_memory_bytes)

    @property
    def patterns_without_literal(self) -> int:
        """How many patterns are tried on every text."""
        return len(self._set_atoms)

    def scan(self, text: str) -> Scan:
        """Look through one text."""
        shown = text[:MAX_CHARS]
        safe_view = safe(shown)
        views: dict[View, str] = {"safe": safe_view}
        hits: dict[Atom, list[Interval]] = {}
        for view, (automaton, atoms) in self._words.items():
            if view == "fold":
                views[view] = fold(safe_view)
            for index, start, end in automaton.find_matches_as_indexes(views[view], overlapping=True):
                hits.setdefault(atoms[index], []).append((start, end))
        for atom in self._candidates(safe_view, hits):
            if places := [found.span() for found in self._patterns[atom].finditer(safe_view)]:
                hits[atom] = places
        return Scan(self.version, text, len(text) > MAX_CHARS, views, hits)

    def _candidates(self, safe_view: str, hits: Mapping[Atom, object]) -> set[Atom]:
        candidates: set[Atom] = set()
        if self._patterns_by_literal:
            for atom in hits.keys() & self._patterns_by_literal.keys():
                candidates.update(self._patterns_by_literal[atom])
        if self._set_atoms and safe_view:
            matched = self._set.Match(safe_view) if self._set is not None else None
            if matched is None:  # no set, or out of memory: try each pattern by itself
                candidates.update(self._set_atoms)
            else:
                candidates.update(self._set_atoms[index - 1] for index in matched if index > 0)
        return candidates


def _pattern_set(patterns: Mapping[str, Atom], memory_bytes: int) -> tuple[Any, list[Atom]]:
    """One RE2 set of all patterns, the canary at index 0. None if there are no patterns or too many for one set."""
    if not patterns:
        return None, []
    pattern_set = re2.Set.SearchSet(options(memory_bytes))
    pattern_set.Add(_CANARY)
    for regex in patterns:
        pattern_set.Add(regex)
    try:
        pattern_set.Compile()
    except re2.error:
        log.warning("%d patterns are too many for one RE2 set: each is tried on every text", len(patterns))
        return None, list(patterns.values())
    return pattern_set, list(patterns.values())
