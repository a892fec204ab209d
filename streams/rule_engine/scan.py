"""One pass over one text for all rules at once: which words and patterns stand where.

All words of a view are in one Aho-Corasick automaton (Aho & Corasick 1975), so the cost hardly grows with the number
of rules. Patterns run only on texts that hold one of their required literals; the few that have none are narrowed
down by one RE2 set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import ahocorasick_rs
import re2

from streams.rule_engine.regexes import compile_regex, options, required_literals
from streams.rule_engine.rule import VIEWS, View
from streams.rule_engine.views import MAX_CHARS, fold, in_view, safe, squeeze, view_of

log = logging.getLogger(__name__)

Atom: TypeAlias = int
Interval: TypeAlias = tuple[int, int]

#: A pattern in the set that every text matches. RE2's Python binding answers None both for "no match" and for "the
#: automaton ran out of memory" (google/re2 #136); with this in it, None can only mean the latter.
_CANARY = "(?s:.)"
#: Enough for the automaton of some 300 patterns without literals; with RE2's default of 8 MiB it is rebuilt all the
#: time (10 µs for a message instead of 1.2).
_SET_MEMORY_BYTES = 64 << 20

#: Compiling a pattern and reading its literals takes some 0.1 ms, so a step of these takes 5 ms.
_PATTERNS_AT_ONCE = 50
#: Making an automaton holds the GIL for most of its time: 12,000 words take some 20 ms, 36,000 take 70. Each further
#: automaton costs a message about 1 µs.
_WORDS_AT_ONCE = 12_000


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

    words: dict[View, dict[str, Atom]] = field(default_factory=lambda: {view: {} for view in VIEWS})
    patterns: dict[View, dict[str, Atom]] = field(default_factory=lambda: {view: {} for view in VIEWS})
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

    def pattern(self, view: View, regex: str) -> Atom:
        """The atom of a pattern, looked for in a view."""
        patterns = self.patterns[view]
        if regex not in patterns:
            patterns[regex] = self._next(0)
        return patterns[regex]

    def _next(self, length: int) -> Atom:
        self.lengths.append(length)
        return len(self.lengths) - 1


@dataclass(slots=True)
class ViewScanner:
    """The automata of one view: its words, its patterns by the literals they need, and those that need none."""

    automata: list[tuple[Any, list[Atom]]]  # ahocorasick_rs.AhoCorasick
    patterns: dict[Atom, Any]
    by_literal: dict[Atom, list[Atom]]
    pattern_set: Any  # re2.Set | None
    set_atoms: list[Atom]

    def look(self, text: str, hits: dict[Atom, Sequence[Interval]]) -> None:
        """Note where the words and patterns stand in a text of this view."""
        candidates: set[Atom] = set()
        found: dict[Atom, list[Interval]] = {}
        for automaton, atoms in self.automata:
            for index, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
                found.setdefault(atoms[index], []).append((start, end))
        if found:
            hits.update(found)
            if self.by_literal:
                for atom in found.keys() & self.by_literal.keys():
                    candidates.update(self.by_literal[atom])
        if self.set_atoms and text:
            matched = self.pattern_set.Match(text) if self.pattern_set is not None else None
            if matched is None:  # no set, or out of memory: try each pattern by itself
                candidates.update(self.set_atoms)
            else:
                candidates.update(self.set_atoms[index - 1] for index in matched if index > 0)
        for atom in candidates:
            if places := [place.span() for place in self.patterns[atom].finditer(text)]:
                hits[atom] = places


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of assembling a set, some 5 ms long. `in_c` marks one that is longer and leaves the GIL alone for the most
    part: it may run in a thread, while nothing else touches the set.
    """

    work: Callable[[], None]
    in_c: bool = False

    def __call__(self) -> None:
        """Do it."""
        self.work()


class Scanner:
    """The automata of a vocabulary, view by view. Not changed after it is made, so any thread may use it."""

    def __init__(
        self, vocabulary: Vocabulary, version: str, *, set_memory_bytes: int = _SET_MEMORY_BYTES
    ) -> None:
        self.version = version
        self._views: dict[View, ViewScanner] = {}
        for step in self.assembling(vocabulary, set_memory_bytes=set_memory_bytes):
            step()

    @classmethod
    def empty(cls, version: str) -> Scanner:
        """A scanner to be filled by the steps of `assembling`."""
        scanner = cls.__new__(cls)
        scanner.version, scanner._views = version, {}
        return scanner

    def assembling(
        self, vocabulary: Vocabulary, *, set_memory_bytes: int = _SET_MEMORY_BYTES
    ) -> Iterator[Step]:
        """The making of the automata in pieces: each step is called before the next one is asked for.

        A step does nothing but the work of one view, or of `_PATTERNS_AT_ONCE` patterns.
        """
        for view in VIEWS:
            if not vocabulary.words[view] and not vocabulary.patterns[view]:
                continue
            made = ViewScanner([], {}, {}, None, [])
            without_literal: dict[str, Atom] = {}
            waiting = list(vocabulary.patterns[view].items())
            for at in range(0, len(waiting), _PATTERNS_AT_ONCE):
                some = waiting[at : at + _PATTERNS_AT_ONCE]
                yield Step(partial(_add_patterns, made, some, vocabulary, view, without_literal))
            words = list(vocabulary.words[view].items())  # the patterns' literals are among them now
            for at in range(0, len(words), _WORDS_AT_ONCE):
                yield Step(partial(_add_automaton, made, words[at : at + _WORDS_AT_ONCE]), in_c=True)
            if without_literal:
                yield Step(partial(_add_set, made, without_literal, set_memory_bytes), in_c=True)
            self._views[view] = made

    @property
    def patterns_without_literal(self) -> int:
        """How many patterns are tried on every text."""
        return sum(len(made.set_atoms) for made in self._views.values())

    def scan(self, text: str) -> Scan:
        """Look through one text."""
        shown = text[:MAX_CHARS]
        safe_view = safe(shown)
        views: dict[View, str] = {"safe": safe_view}
        hits: dict[Atom, Sequence[Interval]] = {}
        for view, made in self._views.items():
            if view == "fold":
                views[view] = fold(safe_view)
            elif view == "squeeze":
                views[view] = squeeze(views["fold"] if "fold" in views else fold(safe_view))
            elif view == "digits":
                views[view] = view_of(safe_view, view)
            made.look(views[view], hits)
        return Scan(self.version, text, len(text) > MAX_CHARS, views, hits)


def _add_patterns(
    made: ViewScanner,
    patterns: Sequence[tuple[str, Atom]],
    vocabulary: Vocabulary,
    view: View,
    without_literal: dict[str, Atom],
) -> None:
    for regex, atom in patterns:
        made.patterns[atom] = compile_regex(regex)
        literals = required_literals(regex, view)
        for literal in literals:
            made.by_literal.setdefault(vocabulary.word(view, literal), []).append(atom)
        if not literals:
            without_literal[regex] = atom


def _add_automaton(made: ViewScanner, words: Sequence[tuple[str, Atom]]) -> None:
    automaton = ahocorasick_rs.AhoCorasick([word for word, _ in words], store_patterns=False)
    made.automata.append((automaton, [atom for _, atom in words]))


def _add_set(made: ViewScanner, patterns: Mapping[str, Atom], memory_bytes: int) -> None:
    made.pattern_set, made.set_atoms = _pattern_set(patterns, memory_bytes)


def _pattern_set(patterns: Mapping[str, Atom], memory_bytes: int) -> tuple[Any, list[Atom]]:
    """One RE2 set of all patterns, the canary at index 0. None if there are too many for one set."""
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
