"""What every match of a pattern must contain, so that texts without it need not be searched.

The idea is RE2's FilteredRE2 and Russ Cox's trigram index (2012). Patterns are read with Python's own parser, whose
module is private: where it is not understood nothing is known, and the pattern runs on every text, which is slower and
just as right.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable
from re import _constants as opcodes  # type: ignore[attr-defined]  # no public parser exists
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias, TypeVar

from streams.rule_engine.rule import View
from streams.rule_engine.views import in_view

#: More alternatives than this are searched for faster by the regex itself.
_MAX_ALTERNATIVES = 64
_MIN_LITERAL = 2
#: `[[:alpha:]]` means something else to Python's parser than to RE2; `\Q..\E`, `\pN` and the like it refuses itself.
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
_DIGITS = frozenset(string.digits)
#: Characters that are telling: no letters (their two cases are a subject of its own) and no space, which every English
#: text holds.
_TELLING = _DIGITS | frozenset(string.punctuation)

_Item: TypeAlias = tuple[Any, Any]
_Words: TypeAlias = tuple[str, ...]
Known = TypeVar("Known")


def required_literals(pattern: str, view: View = "safe") -> tuple[str, ...]:
    """Words of which every match of the pattern contains at least one, in its view; none if there is no such set.

    They go into the keyword automaton, so that the pattern itself runs only on texts that hold one of them.
    """
    literals = _literals(_parsed(pattern)) or ()
    folded = tuple(dict.fromkeys(literal.casefold() for literal in literals))
    # A literal that the view would write otherwise is no reliable sign of the match.
    if any(in_view(literal, view) != literal or len(literal.strip()) < _MIN_LITERAL for literal in folded):
        return ()
    return folded


def required_characters(pattern: str) -> frozenset[str] | None:
    """Digits and punctuation of which every match of the pattern contains at least one; None if that is not known."""
    return _characters(_parsed(pattern))


def _parsed(pattern: str) -> Iterable[_Item]:
    if _POSIX_CLASS.search(pattern):
        return ()
    try:
        return tuple(parser.parse(pattern))
    except (re.error, RecursionError, OverflowError):
        return ()


def _literals(items: Iterable[_Item]) -> _Words | None:
    best: _Words | None = None
    run = ""
    for operation, argument in items:
        if operation is opcodes.LITERAL:
            run += chr(argument)
        elif operation is not opcodes.AT:  # a position is no character: the run goes on over it
            best = _better(best, (run,) if len(run) >= _MIN_LITERAL else None)
            run = ""
            best = _better(best, _inside(operation, argument, _literals, _alternatives))
    return _better(best, (run,) if len(run) >= _MIN_LITERAL else None)


def _alternatives(branches: list[_Words]) -> _Words | None:
    together = tuple(word for words in branches for word in words)
    return together if len(together) <= _MAX_ALTERNATIVES else None


def _better(one: _Words | None, other: _Words | None) -> _Words | None:
    """The set that fewer texts contain: longer words first, then fewer of them."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=lambda literals: (min(map(len, literals)), -len(literals)))


def _characters(items: Iterable[_Item]) -> frozenset[str] | None:
    known = [found for item in items if (found := _of_item(*item)) is not None]
    # digits alone before all else: with most patterns asking for digits, the union of all stays small
    return min(known, key=lambda found: (not found <= _DIGITS, len(found)), default=None)


def _of_item(operation: Any, argument: Any) -> frozenset[str] | None:  # noqa: ANN401 - the parser's own types
    if operation is opcodes.LITERAL:
        return _telling({chr(argument)})
    if operation is opcodes.IN:
        listed: set[str] = set()
        for kind, value in argument:
            if kind is opcodes.LITERAL:
                listed.add(chr(value))
            elif kind is opcodes.RANGE and value[1] < 0x80:
                listed.update(map(chr, range(value[0], value[1] + 1)))
            elif kind is opcodes.CATEGORY and value is opcodes.CATEGORY_DIGIT:
                listed |= _DIGITS  # RE2's \d is ASCII
            else:
                return None
        return _telling(listed)
    return _inside(operation, argument, _characters, lambda branches: frozenset().union(*branches))


def _telling(characters: set[str]) -> frozenset[str] | None:
    return frozenset(characters) if characters <= _TELLING else None


def _inside(
    operation: Any,  # noqa: ANN401 - the parser's own types
    argument: Any,  # noqa: ANN401
    of_sequence: Callable[[Iterable[_Item]], Known | None],
    of_any: Callable[[list[Known]], Known | None],
) -> Known | None:
    """What is known of a group, of something repeated at least once, or of alternatives all of which tell something."""
    if operation is opcodes.SUBPATTERN:
        return of_sequence(argument[3])
    if operation in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT) and argument[0] >= 1:
        return of_sequence(argument[2])
    if operation is opcodes.BRANCH:
        branches = [of_sequence(branch) for branch in argument[1]]
        known = [branch for branch in branches if branch is not None]
        return of_any(known) if len(known) == len(branches) else None
    return None
