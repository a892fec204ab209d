"""Slot grammar: templates with alternatives and slots, and the split of templates between training and evaluation.

`(a|b|)` is one of the alternatives, `{slot}` one of the slot's values, both may nest. Full-width parentheses are
ordinary text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Literal, TypeAlias, TypeVar

Language = Literal["ja", "en"]
#: Which templates a voice may use. `known` ones are trained on; `validation` and `held_out` voices use known and
#: unseen ones half and half; `unseen` uses held-out templates only; `every` speaks them all.
Phrasing = Literal["known", "validation", "held_out", "unseen", "every"]

_Value = TypeVar("_Value")

#: Values of the slots of one language.
Slots: TypeAlias = Mapping[str, tuple[str, ...]]

#: Of five templates three are known, one is kept for validation and one for the final evaluation.
_CYCLE = 5
_VALIDATION_AT = 3
_HELD_OUT_AT = 4
#: A family with fewer templates than this is spoken alike by every voice: greetings are not what is measured.
_SMALLEST_SPLIT = 2 * _CYCLE
_UNSEEN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[_Sequence, ...]


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str


_Sequence: TypeAlias = "tuple[str | _Choice | _Slot, ...]"


@dataclass(frozen=True, slots=True)
class Family:
    """Ways of saying one thing, by language."""

    name: str
    templates: Mapping[Language, tuple[str, ...]]

    def pool(self, language: Language, phrasing: Phrasing, rng: Random) -> tuple[str, ...]:
        """The templates that a voice of this phrasing draws from this time."""
        known, validation, held_out = _split(self.templates[language])
        if not held_out or phrasing == "every":
            return self.templates[language]
        if phrasing == "known":
            return known
        if phrasing == "unseen":
            return held_out
        unseen = validation if phrasing == "validation" else held_out
        return unseen if rng.random() < _UNSEEN_SHARE else known


@dataclass(frozen=True, slots=True)
class Fashion:
    """What people say these days: `newer_share` of choices fall on the second half of what there is to choose from.

    It concerns the families that are divided between training and evaluation, and the slots named here.
    """

    newer_share: float
    slots: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.newer_share <= 1:
            raise ValueError(f"newer_share is {self.newer_share}, not within 0..1")

    def choose(self, values: Sequence[_Value], rng: Random) -> _Value:
        """One of the values, from the newer or the older half; of a single value that one."""
        middle = len(values) // 2
        return rng.choice(values[middle:] if rng.random() < self.newer_share else values[:middle] or values)


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker's language, choice of phrasings and bindings (the item talked about, names, amounts).

    Without a `fashion` everything there is to say is said alike.
    """

    language: Language
    phrasing: Phrasing
    slots: Slots
    bindings: Mapping[str, str] = field(default_factory=dict)
    fashion: Fashion | None = None

    def say(self, family: Family, rng: Random) -> str:
        """One utterance of the family. Raises `KeyError` with the slot's name if a template asks for an unknown one."""
        pool = family.pool(self.language, self.phrasing, rng)
        divided = len(family.templates[self.language]) >= _SMALLEST_SPLIT
        return self.fill(self.choose(pool, rng) if divided else rng.choice(pool), rng)

    def choose(self, values: Sequence[_Value], rng: Random) -> _Value:
        """One of the values, as this voice's fashion has it."""
        return rng.choice(values) if self.fashion is None else self.fashion.choose(values, rng)

    def fill(self, template: str, rng: Random) -> str:
        """A template's text with its slots and alternatives chosen."""
        out: list[str] = []
        self._expand(parse(template), rng, out)
        return "".join(out)

    def _expand(self, sequence: _Sequence, rng: Random, out: list[str]) -> None:
        for part in sequence:
            if isinstance(part, str):
                out.append(part)
            elif isinstance(part, _Choice):
                self._expand(rng.choice(part.options), rng, out)
            elif part.name in self.bindings:
                out.append(self.bindings[part.name])
            elif part.name in self.slots:
                values = self.slots[part.name]
                moving = self.fashion is not None and part.name in self.fashion.slots
                self._expand(parse(self.choose(values, rng) if moving else rng.choice(values)), rng, out)
            elif part.name.startswith("digits"):
                out.append(
                    "".join(rng.choice("0123456789") for _ in range(int(part.name.removeprefix("digits"))))
                )
            else:
                raise KeyError(f"no slot {part.name!r} for language {self.language!r}")


@lru_cache(maxsize=1 << 14)
def parse(template: str) -> _Sequence:
    """The template as text, choices and slots. Raises `ValueError` naming the template on unbalanced brackets."""
    sequence, at = _parse_sequence(template, 0, inside=False)
    if at != len(template):
        raise ValueError(f"unbalanced ')' at character {at} of template {template!r}")
    return sequence


def _parse_sequence(template: str, at: int, *, inside: bool) -> tuple[_Sequence, int]:
    parts: list[str | _Choice | _Slot] = []
    text: list[str] = []
    while at < len(template):
        character = template[at]
        if character == ")" or (inside and character == "|"):
            break
        if character not in "({":
            text.append(character)
            at += 1
            continue
        if text:
            parts.append("".join(text))
            text = []
        if character == "{":
            end = template.find("}", at)
            if end < 0:
                raise ValueError(f"'{{' without '}}' in template {template!r}")
            parts.append(_Slot(template[at + 1 : end]))
            at = end + 1
        else:
            choice, at = _parse_choice(template, at + 1)
            parts.append(choice)
    if text:
        parts.append("".join(text))
    return tuple(parts), at


def _parse_choice(template: str, at: int) -> tuple[_Choice, int]:
    options: list[_Sequence] = []
    while True:
        option, at = _parse_sequence(template, at, inside=True)
        options.append(option)
        if at >= len(template):
            raise ValueError(f"'(' without ')' in template {template!r}")
        if template[at] == ")":
            return _Choice(tuple(options)), at + 1
        at += 1


@lru_cache(maxsize=4096)
def _split(templates: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if len(templates) < _SMALLEST_SPLIT:
        return templates, (), ()
    known = tuple(t for i, t in enumerate(templates) if i % _CYCLE not in (_VALIDATION_AT, _HELD_OUT_AT))
    validation = tuple(t for i, t in enumerate(templates) if i % _CYCLE == _VALIDATION_AT)
    held_out = tuple(t for i, t in enumerate(templates) if i % _CYCLE == _HELD_OUT_AT)
    return known, validation, held_out
