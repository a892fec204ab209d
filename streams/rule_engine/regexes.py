"""Regular expressions of rules: checked, and compiled by RE2 (linear time, no look-around)."""

from __future__ import annotations

import re
from typing import Any

import re2

from streams.rule_engine.rule import View
from streams.rule_engine.views import in_view, safe

#: 4 MiB is some 20 times what a realistic pattern needs; a pattern that explodes is refused.
_MAX_MEMORY_BYTES = 4 << 20
#: Patterns that match one of these would fire on everybody.
_HARMLESS = ("", "よろしくお願いいたします。", "thank you very much!")


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


def _cure(pattern: str, message: str) -> str:
    if re.search(r"\(\?<?[=!]", pattern):
        return 'there is no look-ahead and look-behind: use "none:" or "except:"'
    if re.search(r"\\[1-9]", pattern):
        return "there are no back-references"
    if "repetition" in message:
        return "at most {0,1000}; put a \\ before a literal * + ? {"
    return ""
