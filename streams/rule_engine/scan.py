"""One pass over one text for all rules at once: which words and patterns stand where.

The cost hardly grows with the number of rules: all words of a view are looked for together, and patterns run only on
texts that hold one of their required literals; those that have none are narrowed down by one set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from streams.rule_engine.pattern_set import SET_MEMORY_BYTES, PatternSet
from streams.rule_engine.regexes import compile_regex
from streams.rule_engine.required import required_literals
from streams.rule_engine.rule import VIEWS, View
from streams.rule_engine.views import MAX_CHARS, fold, in_view, safe, squeeze, view_of
from streams.rule_engine.words import WORDS_AT_ONCE, Atom, Interval, WordFinder

__all__ = ["Atom", "Interval", "Scan", "Scanner", "Step", "Vocabulary"]

#: Compiling a pattern and reading its literals takes some 0.1 ms, so a step of these takes 5 ms.
_PATTERNS_AT_ONCE = 50


class Scan(msgspec.Struct, frozen=True, eq=False):
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
    """What is looked for in one view: its words, its patterns by the literals they need, and those that need none."""

    words: WordFinder = field(default_factory=WordFinder)
    patterns: dict[Atom, Any] = field(default_factory=dict)  # compiled by re2
    by_literal: dict[Atom, list[Atom]] = field(default_factory=dict)
    without_literal: PatternSet | None = None

    def look(self, text: str, hits: dict[Atom, Sequence[Interval]]) -> None:
        """Note where the words and patterns stand in a text of this view."""
        found = self.words.find(text)
        if found:
            hits.update(found)
            if self.by_literal:
                waked = [self.by_literal[atom] for atom in found if atom in self.by_literal]
                for atom in set().union(*waked):
                    self._search(atom, text, hits)
        if self.without_literal is not None:
            for atom in self.without_literal.candidates(text):
                self._search(atom, text, hits)

    def _search(self, atom: Atom, text: str, hits: dict[Atom, Sequence[Interval]]) -> None:
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
        self, vocabulary: Vocabulary, version: str, *, set_memory_bytes: int = SET_MEMORY_BYTES
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
        self, vocabulary: Vocabulary, *, set_memory_bytes: int = SET_MEMORY_BYTES
    ) -> Iterator[Step]:
        """The making of the automata in pieces: each step is called before the next one is asked for.

        A step does nothing but the work of one view, or of `_PATTERNS_AT_ONCE` patterns.
        """
        for view in VIEWS:
            if not vocabulary.words[view] and not vocabulary.patterns[view]:
                continue
            made = ViewScanner()
            without_literal: dict[str, Atom] = {}
            waiting = list(vocabulary.patterns[view].items())
            for at in range(0, len(waiting), _PATTERNS_AT_ONCE):
                some = waiting[at : at + _PATTERNS_AT_ONCE]
                yield Step(partial(_add_patterns, made, some, vocabulary, view, without_literal))
            words = list(vocabulary.words[view].items())  # the patterns' literals are among them now
            automata = -(-len(words) // WORDS_AT_ONCE)
            for number in range(automata):
                yield Step(partial(made.words.add, words[number::automata]), in_c=True)
            if without_literal:
                yield Step(partial(_add_set, made, without_literal, set_memory_bytes), in_c=True)
            self._views[view] = made

    @property
    def patterns_without_literal(self) -> int:
        """How many patterns are tried on every text."""
        sets = (made.without_literal for made in self._views.values())
        return sum(len(one.atoms) for one in sets if one is not None)

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


def _add_set(made: ViewScanner, patterns: Mapping[str, Atom], memory_bytes: int) -> None:
    made.without_literal = PatternSet(patterns, memory_bytes=memory_bytes)
