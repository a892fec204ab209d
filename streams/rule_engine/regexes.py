"""Regular expressions of rules: checked, compiled by RE2 (linear time, no look-around), and their required literals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as opcodes  # type: ignore[attr-defined]  # no public parser exists; see required_literals
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

from streams.rule_engine.rule import View
from streams.rule_engine.views import in_view, safe

#: 4 MiB is some 20 times what a realistic pattern needs; a pattern that explodes is refused.
_MAX_MEMORY_BYTES = 4 << 20
#: Patterns that match one of these would fire on everybody.
_HARMLESS = ("", "よろしくお願いいたします。", "thank you very much!")
#: More alternatives than this are searched for faster by the regex itself.
_MAX_ALTERNATIVES = 64
_MIN_LITERAL = 2
#: `[[:alpha:]]` means something else to Python's parser than to RE2; `\Q..\E`, `\pN` and the like it refuses itself.
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")


class BadRegex(ValueError):
    """A pattern that cannot be used. `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def options(max_memory_bytes: int = _MAX_MEMORY_BYTES) -> Any:  # noqa: ANN401 - re2 has no types
    """RE2 options of every rule: letters of either case are alike, as in the views."""
    chosen = re2.Options()
    chosen.case_sensitive = False
    chosen.log_errors = False
    chosen.max_mem = max_memory_bytes
    return chosen


def compile_regex(pattern: str) -> Any:  # noqa: ANN401 - re2 has no types
    """The compiled pattern. Raises `BadRegex`."""
    try:
        return re2.compile(pattern, options=options())
    except re2.error as error:
        what = error.args[0] if error.args else ""
        shown = what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)
        raise BadRegex(f"not a regular expression that RE2 knows: {shown}", _cure(pattern, shown)) from error


def check_regex(pattern: str, view: View = "safe") -> None:
    """Raises `BadRegex` for what does not compile, can never match a view, or matches ordinary text."""
    compiled = compile_regex(pattern)
    for character in dict.fromkeys(pattern):
        # only letters and digits: what else the squeeze view drops may be an operator of the pattern
        form = in_view(character, view) if character.isalnum() else safe(character)
        if form != character.casefold():
            raise BadRegex(
                f'"{character}" never matches, because texts are normalised first',
                f'write "{form}"' if form else "leave it out",
            )
    for text in _HARMLESS:
        if compiled.search(in_view(text, view)):
            raise BadRegex(
                f'it matches ordinary text: "{text}"' if text else "it matches empty text", "make it stricter"
            )


def required_literals(pattern: str, view: View = "safe") -> tuple[str, ...]:
    """Words of which every match of the pattern contains at least one, in its view; none if there is no such set.

    They go into the keyword automaton, so that the pattern itself runs only on texts that hold one of them.
    The idea is RE2's FilteredRE2 and Russ Cox's trigram index (2012). Read with Python's own parser, whose module
    is private: if it is not understood, there are no literals and the pattern runs on every text, which is slower
    and just as right.
    """
    if _POSIX_CLASS.search(pattern):
        return ()
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return ()
    literals = _of_sequence(tree) or ()
    folded = tuple(dict.fromkeys(literal.casefold() for literal in literals))
    # A literal that the view would write otherwise is no reliable sign of the match.
    if any(in_view(literal, view) != literal or len(literal.strip()) < _MIN_LITERAL for literal in folded):
        return ()
    return folded


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> tuple[str, ...] | None:
    best: tuple[str, ...] | None = None
    run = ""
    for operation, argument in items:
        if operation is opcodes.LITERAL:
            run += chr(argument)
        elif operation is not opcodes.AT:  # a position is no character: the run goes on over it
            best = _better(best, (run,) if len(run) >= _MIN_LITERAL else None)
            run = ""
            best = _better(best, _of_item(operation, argument))
    return _better(best, (run,) if len(run) >= _MIN_LITERAL else None)


def _of_item(operation: Any, argument: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - the parser's own types
    if operation is opcodes.SUBPATTERN:
        return _of_sequence(argument[3])
    if operation in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT) and argument[0] >= 1:
        return _of_sequence(argument[2])
    if operation is opcodes.BRANCH:
        alternatives: list[str] = []
        for branch in argument[1]:
            literals = _of_sequence(branch)
            if literals is None:
                return None
            alternatives.extend(literals)
        return tuple(alternatives) if len(alternatives) <= _MAX_ALTERNATIVES else None
    return None


def _better(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The set that fewer texts contain: longer words first, then fewer of them."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=lambda literals: (min(map(len, literals)), -len(literals)))


def _cure(pattern: str, message: str) -> str:
    if re.search(r"\(\?<?[=!]", pattern):
        return 'there is no look-ahead and look-behind: use "none:" or "except:"'
    if re.search(r"\\[1-9]", pattern):
        return "there are no back-references"
    if "repetition" in message:
        return "at most {0,1000}; put a \\ before a literal * + ? {"
    return ""
