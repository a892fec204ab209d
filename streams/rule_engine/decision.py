"""Which part of a rule's match tree decided: the same tree that fires, asked clause by clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.rule_engine.match_tree import (
    All,
    Count,
    Found,
    Guarded,
    Near,
    Node,
    Part,
    Words,
    places_of_any,
)
from streams.rule_engine.rule import Boundary, Match, View
from streams.rule_engine.scan import Atom, Interval


@dataclass(frozen=True, slots=True)
class Clause:
    """One node of the tree on some texts: where it stands in the rule, whether it matched, and why (not).

    `touched` tells that some word of it was in the texts, whether that counted or not.
    """

    path: str
    matched: bool
    reason: str
    found: tuple[Found, ...] = ()
    touched: bool = False
    children: tuple[Clause, ...] = field(default=())

    def deciding(self) -> Clause:
        """The innermost clause to which the outcome is due: the first that failed, or all of a match."""
        if not self.matched:
            for child in self.children:
                if not child.matched:
                    return child.deciding()
        return self


def decide(match: Match | str, node: Node, parts: Sequence[Part], path: str = "match") -> Clause:
    """Ask a compiled tree about texts, clause by clause. `match` is what `node` was compiled from."""
    if isinstance(node, Guarded):
        assert isinstance(match, Match), "words have no guards"
        return _guarded(match, node, parts, path)
    if isinstance(node, All):
        assert isinstance(match, Match), "a word is no list"
        children = tuple(
            decide(child, compiled, parts, f"{path}.all[{index}]")
            for index, (child, compiled) in enumerate(zip(match.all, node.children, strict=True))
        )
        return _together(path, children)
    if isinstance(node, Near):
        return _near(node, parts, f"{path}.near")
    if isinstance(node, Count):
        return _count(node, parts, f"{path}.count")
    assert isinstance(node, Words), "no other nodes are compiled"
    what = "" if isinstance(match, str) else ".regex" if match.regex is not None else ".any"
    return _words(node, parts, f"{path}{what}", match)


def _guarded(match: Match, node: Guarded, parts: Sequence[Part], path: str) -> Clause:
    if node.field is not None:
        parts = [part for part in parts if part.name == node.field]
    inner = decide(match, node.inner, parts, path)
    if not inner.matched:
        if node.field is None:
            return inner
        return Clause(inner.path, False, f"{inner.reason} in {node.field}", (), inner.touched, inner.children)
    for index, veto in enumerate(node.vetoes):
        if found := veto.find(parts):
            shown = _shown(found[0])
            reason = f"{shown} is found, which excludes the rule"
            return Clause(f"{path}.none[{index}]", False, reason, tuple(found), touched=True)
    return inner


def _together(path: str, children: tuple[Clause, ...]) -> Clause:
    matched = all(child.matched for child in children)
    touched = any(child.touched for child in children)
    failed = [child for child in children if not child.matched]
    reason = "every item is found" if matched else f"{len(failed)} of {len(children)} items are missing"
    found = tuple(place for child in children for place in child.found) if matched else ()
    return Clause(f"{path}.all", matched, reason, found, touched, children)


def _words(node: Words, parts: Sequence[Part], path: str, match: Match | str) -> Clause:
    found = tuple(node.find(parts))
    if found:
        return Clause(path, True, f"{_shown(found[0])} is found", found, touched=True)
    why = _why_absent(node.view, node.atoms, node.boundary, parts)
    if why is None and isinstance(match, str):
        why = f'"{match}" is not there'
    elif why is None:
        why = (
            "the pattern is not there"
            if isinstance(match, Match) and match.regex
            else "no word of it is there"
        )
        return Clause(path, False, why)
    return Clause(path, False, why, touched=_raw(node.atoms, parts) != [])


def _near(node: Near, parts: Sequence[Part], path: str) -> Clause:
    found = tuple(node.find(parts))
    if found:
        places = f"{_shown(found[0])} and {_shown(found[1])}" if len(found) > 1 else _shown(found[0])
        return Clause(path, True, f"{places} are at most {node.within} characters apart", found, touched=True)
    touched = bool(_raw(node.one | node.other, parts))
    gaps: list[int] = []
    missing = set("ab")
    for part in parts:
        ones = places_of_any(part, node.view, node.one, node.boundary)
        others = places_of_any(part, node.view, node.other, node.boundary)
        missing -= ({"a"} if ones else set()) | ({"b"} if others else set())
        gaps += [max(o[0] - e[1], e[0] - o[1]) for e in ones[:50] for o in others[:50]]
    if missing:
        side = sorted(missing)[0]
        atoms = node.one if side == "a" else node.other
        why = _why_absent(node.view, atoms, node.boundary, parts) or "no word of it is there"
        return Clause(f"{path}.{side}", False, why, touched=touched)
    apart = min((gap for gap in gaps if gap >= 0), default=None)
    if apart is None:
        return Clause(path, False, "its words are never beside one another in one text", touched=touched)
    return Clause(
        path, False, f"the words are {apart} characters apart; within is {node.within}", touched=touched
    )


def _count(node: Count, parts: Sequence[Part], path: str) -> Clause:
    found = tuple(node.find(parts))
    per_word = [
        sum(len(part.places(node.view, atom, node.boundary)) for part in parts) for atom in node.atoms
    ]
    number = sum(map(bool, per_word)) if node.distinct else sum(per_word)
    different = "different " if node.distinct else ""
    reason = f"{number} {different}words are found; at_least is {node.at_least}"
    return Clause(path, bool(found), reason, found, touched=bool(_raw(node.atoms, parts)))


def _raw(atoms: frozenset[Atom], parts: Sequence[Part]) -> list[Interval]:
    return [
        place for part in parts for atom in atoms & part.scan.hits.keys() for place in part.scan.hits[atom]
    ]


def _why_absent(view: View, atoms: frozenset[Atom], boundary: Boundary, parts: Sequence[Part]) -> str | None:
    """Why places at which a word stands do not count; None if there are none."""
    for part in parts:
        for atom in sorted(atoms & part.scan.hits.keys()):
            start, end = part.scan.hits[atom][0]
            word = part.scan.views[view][start:end]
            if part.places(view, atom):
                return f'"{word}" is only part of a longer word (boundary: {boundary})'
            return f'"{word}" is only inside an exception phrase'
    return None


def _shown(found: Found) -> str:
    return f'"{found.part.scan.views[found.view][found.start : found.end]}"'
