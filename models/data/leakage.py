"""The guard against leakage: what later parts share with earlier ones, and would be recognised by instead of learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from models.data.examples import PARTS, Part
from models.data.facts import ExampleFacts

_SHOWN: Final = 3
_OF: Final[Mapping[str, Callable[[ExampleFacts], object]]] = {
    "text": lambda facts: facts.text,
    "subject": lambda facts: facts.subject,
    "seller": lambda facts: facts.seller,
}
_WORDS: Final = {
    "text": "the same normalised text",
    "subject": "the same transaction or listing",
    "seller": "the same seller",
}


@dataclass(frozen=True, slots=True)
class Shared:
    """One way in which parts overlap. `examples` counts those of each later part that share with an earlier one."""

    what: str
    examples: Mapping[Part, int]
    sizes: Mapping[Part, int]
    #: Pairs of places, the earlier part's first.
    shown: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        counted = ", ".join(
            f"{count:,} of {self.sizes[part]:,} in {part}" for part, count in self.examples.items() if count
        )
        first = f" (e.g. {self.shown[0][1]} and {self.shown[0][0]})" if self.shown else ""
        return f"{_WORDS[self.what]} as in an earlier part: {counted or 'none'}{first}"


@dataclass(frozen=True, slots=True)
class Leakage:
    """What is shared, and by how many seconds parts overlap in time: the earlier's latest after the later's earliest."""

    shared: tuple[Shared, ...]
    overlaps_s: Mapping[str, float]

    @property
    def found(self) -> tuple[Shared, ...]:
        """The ways in which something is shared."""
        return tuple(one for one in self.shared if any(one.examples.values()))

    def lines(self) -> list[str]:
        """For people: one line a finding."""
        lines = [str(one) for one in self.found]
        lines += [
            f"{pair} overlap in time by {seconds / 86_400:.1f} days"
            for pair, seconds in self.overlaps_s.items()
        ]
        return lines

    def record(self) -> dict[str, Any]:
        """For run.json."""
        return {
            **{
                f"same_{one.what}": {
                    "examples": dict(one.examples),
                    "shown": [list(pair) for pair in one.shown],
                }
                for one in self.shared
            },
            "overlaps_s": dict(self.overlaps_s),
        }


def leakage(parts: Mapping[Part, Sequence[ExampleFacts]]) -> Leakage:
    """Compare each part with all before it, in the order train, valid, test."""
    present = [part for part in PARTS if part in parts]
    sizes = {part: len(parts[part]) for part in present}
    return Leakage(tuple(_shared(what, parts, present, sizes) for what in _OF), _overlaps(parts, present))


def _shared(
    what: str,
    parts: Mapping[Part, Sequence[ExampleFacts]],
    present: Sequence[Part],
    sizes: Mapping[Part, int],
) -> Shared:
    known: dict[object, str] = {}
    counts: dict[Part, int] = {}
    shown: list[tuple[str, str]] = []
    for part in present:
        new: dict[object, str] = {}
        for facts in parts[part]:
            value = _OF[what](facts)
            if value is None:
                continue
            new.setdefault(value, facts.place)
            if value in known:
                counts[part] = counts.get(part, 0) + 1
                if len(shown) < _SHOWN:
                    shown.append((known[value], facts.place))
        known = {**new, **known}
    return Shared(what, {part: counts.get(part, 0) for part in present[1:]}, sizes, tuple(shown))


def _overlaps(parts: Mapping[Part, Sequence[ExampleFacts]], present: Sequence[Part]) -> dict[str, float]:
    found: dict[str, float] = {}
    for earlier, later in pairwise(present):
        ends = [one.at for one in parts[earlier] if one.at is not None]
        begins = [one.at for one in parts[later] if one.at is not None]
        if ends and begins and max(ends) > min(begins):
            found[f"{earlier} and {later}"] = max(ends) - min(begins)
    return found
