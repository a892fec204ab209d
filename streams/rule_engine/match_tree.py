"""The match tree of a rule, compiled: which of a scan's hits, taken together, make the rule fire."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Protocol

import msgspec

from streams.rule_engine.boundary import on_token_edges, stands_alone
from streams.rule_engine.rule import Boundary, Match, View
from streams.rule_engine.scan import Atom, Interval, Scan, Vocabulary
from streams.rule_engine.views import Places, places_of


class Covered:
    """Stretches of a text; tells whether a place lies inside one of them, in logarithmic time."""

    def __init__(self, stretches: Sequence[Interval]) -> None:
        ordered = sorted(stretches)
        self._starts = [start for start, _ in ordered]
        self._reach = list(accumulate((end for _, end in ordered), max))  # furthest end up to here

    def __contains__(self, place: Interval) -> bool:
        index = bisect_right(self._starts, place[0]) - 1
        return index >= 0 and self._reach[index] >= place[1]


class Part(msgspec.Struct, eq=False):
    """One text under examination: a message, or a field of a listing.

    `excepted` are the places of the rule's exception phrases; hits inside one of them do not count.
    """

    message_id: str | None
    name: str
    scan: Scan
    excepted: Mapping[View, Covered]
    _ways: dict[View, Places] = {}

    def places(self, view: View, atom: Atom, boundary: Boundary = "none") -> list[Interval]:
        """Where an atom counts, first to last; with a boundary only where it is a word of its own."""
        hits = self.scan.hits.get(atom)
        if not hits:
            return []
        if (excepted := self.excepted.get(view)) is not None:
            hits = [hit for hit in hits if hit not in excepted]
        return (
            list(hits) if boundary == "none" else [hit for hit in hits if self._bounded(view, hit, boundary)]
        )

    def _bounded(self, view: View, place: Interval, boundary: Boundary) -> bool:
        start, end = place
        safe_view = self.scan.views["safe"]
        if view != "safe":  # other views hide where a word ends: look at the safe view
            if view not in self._ways:
                self._ways[view] = places_of(safe_view, view)
            start, end = self._ways[view].span(start, end)
        return (on_token_edges if boundary == "token" else stands_alone)(safe_view, start, end)


class Found(NamedTuple):
    """A place that made a rule fire."""

    part: Part
    view: View
    start: int
    end: int


class Node(Protocol):
    """A compiled node. It can only match if one of its triggers was hit."""

    @property
    def triggers(self) -> frozenset[Atom]:
        """Atoms of which at least one must be hit."""

    def find(self, parts: Sequence[Part]) -> list[Found]:
        """The places that make it match; none if it does not."""


@dataclass(frozen=True, slots=True)
class Words:
    """Any of some words."""

    view: View
    boundary: Boundary
    atoms: frozenset[Atom]

    @property
    def triggers(self) -> frozenset[Atom]:
        """Each of the words."""
        return self.atoms

    def find(self, parts: Sequence[Part]) -> list[Found]:
        """Every place of every word."""
        return [
            Found(part, self.view, *place)
            for part in parts
            for place in places_of_any(part, self.view, self.atoms, self.boundary)
        ]


@dataclass(frozen=True, slots=True)
class Near:
    """A word of one list and a word of another, close together in the same text."""

    view: View
    boundary: Boundary
    one: frozenset[Atom]
    other: frozenset[Atom]
    within: int

    @property
    def triggers(self) -> frozenset[Atom]:
        """The shorter list."""
        return min(self.one, self.other, key=len)

    def find(self, parts: Sequence[Part]) -> list[Found]:
        """Each place of the first list with the places of the second nearest to it on either side."""
        found: list[Found] = []
        for part in parts:
            ones = places_of_any(part, self.view, self.one, self.boundary)
            others = places_of_any(part, self.view, self.other, self.boundary) if ones else []
            if not others:
                continue
            by_end = sorted(others, key=lambda place: place[1])
            ends = [end for _, end in by_end]
            starts = [start for start, _ in others]  # `others` is in order of start
            for start, end in ones:
                after = bisect_left(starts, end)
                before = bisect_right(ends, start) - 1
                near = []
                if after < len(others) and others[after][0] - end <= self.within:
                    near.append(others[after])
                if before >= 0 and start - by_end[before][1] <= self.within:
                    near.append(by_end[before])
                if near:
                    found.append(Found(part, self.view, start, end))
                    found.extend(Found(part, self.view, *place) for place in near)
        return found


@dataclass(frozen=True, slots=True)
class Count:
    """So many of some words."""

    view: View
    boundary: Boundary
    atoms: frozenset[Atom]
    at_least: int
    distinct: bool

    @property
    def triggers(self) -> frozenset[Atom]:
        """Each of the words."""
        return self.atoms

    def find(self, parts: Sequence[Part]) -> list[Found]:
        """Every place, if there are enough of them, over all texts together."""
        found: list[Found] = []
        words: set[Atom] = set()
        for part in parts:
            for atom in self.atoms & part.scan.hits.keys():
                places = part.places(self.view, atom, self.boundary)
                found.extend(Found(part, self.view, *place) for place in places)
                if places:
                    words.add(atom)
        return found if (len(words) if self.distinct else len(found)) >= self.at_least else []


@dataclass(frozen=True, slots=True)
class All:
    """Every child matches, each in whichever text it likes."""

    children: tuple[Node, ...]
    triggers: frozenset[Atom]

    def find(self, parts: Sequence[Part]) -> list[Found]:
        """The places of all children."""
        found: list[Found] = []
        for child in self.children:
            places = child.find(parts)
            if not places:
                return []
            found.extend(places)
        return found


@dataclass(frozen=True, slots=True)
class Guarded:
    """A node in one field only, or unless something else is there."""

    inner: Node
    vetoes: tuple[Node, ...]
    field: str | None

    @property
    def triggers(self) -> frozenset[Atom]:
        """Those of the node."""
        return self.inner.triggers

    def find(self, parts: Sequence[Part]) -> list[Found]:
        """The places of the node, if nothing vetoes them."""
        if self.field is not None:
            parts = [part for part in parts if part.name == self.field]
        found = self.inner.find(parts)
        return [] if found and any(veto.find(parts) for veto in self.vetoes) else found


def places_of_any(part: Part, view: View, atoms: frozenset[Atom], boundary: Boundary) -> list[Interval]:
    """Where any of the atoms counts in a text, in order of start."""
    present = atoms & part.scan.hits.keys()
    places = [place for atom in present for place in part.places(view, atom, boundary)]
    return sorted(places) if len(present) > 1 else places  # those of one word are in order


def compile_match(match: Match, vocabulary: Vocabulary) -> Node:
    """Compile a match tree; its words and patterns are added to the vocabulary."""
    node = _operator(match, vocabulary)
    if not match.none and match.field is None:
        return node
    return Guarded(node, tuple(_child(veto, match, vocabulary) for veto in match.none), match.field)


def views_used(match: Match) -> frozenset[View]:
    """The views in which the words of a tree are looked for, vetoes among them."""
    inner = [child for child in (*match.all, *match.none) if isinstance(child, Match)]
    return frozenset((match.view,)).union(*(views_used(child) for child in inner))


def _operator(match: Match, vocabulary: Vocabulary) -> Node:
    view, boundary = match.view, match.boundary

    def atoms(words: Sequence[str]) -> frozenset[Atom]:
        return frozenset(vocabulary.word(view, word) for word in words)

    if match.regex is not None:
        return Words(view, "none", frozenset((vocabulary.pattern(view, match.regex),)))
    if match.any:
        return Words(view, boundary, atoms(match.any))
    if match.near is not None:
        return Near(view, boundary, atoms(match.near.a), atoms(match.near.b), match.near.within)
    if match.count is not None:
        return Count(view, boundary, atoms(match.count.of), match.count.at_least, match.count.distinct)
    children = tuple(_child(child, match, vocabulary) for child in match.all)
    return All(
        children, min((child.triggers for child in children), key=lambda atoms: _rarity(atoms, vocabulary))
    )


def _child(child: Match | str, parent: Match, vocabulary: Vocabulary) -> Node:
    if isinstance(child, str):
        return Words(parent.view, parent.boundary, frozenset((vocabulary.word(parent.view, child),)))
    return compile_match(child, vocabulary)


def _rarity(atoms: frozenset[Atom], vocabulary: Vocabulary) -> tuple[int, int]:
    """Smallest for what few texts hold: few words, then long ones."""
    return len(atoms), -min((vocabulary.lengths[atom] for atom in atoms), default=0)
