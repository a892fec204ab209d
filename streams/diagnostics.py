"""What is wrong in a file somebody wrote: where it stands, what it is, what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding. `code` is stable and documented in docs/rules.md; `line` and `column` count from 1.

    `detail` are further lines, shown below: a sample with the matched place marked.
    """

    code: str
    message: str
    path: str
    line: int
    column: int
    hint: str = ""
    severity: Severity = "error"
    detail: str = ""

    def record(self) -> dict[str, object]:
        """For programs, ready for JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
            "detail": self.detail,
        }

    def render(self) -> str:
        """`file:line:col: code: message  (hint)`, the form editors and CI logs make clickable."""
        word = "warning: " if self.severity == "warning" else ""
        hint = f"  ({self.hint})" if self.hint else ""
        detail = "".join(f"\n    {line}" for line in self.detail.splitlines())
        return f"{self.path}:{self.line}:{self.column}: {word}{self.code}: {self.message}{hint}{detail}"


def errors(issues: Iterable[Issue]) -> list[Issue]:
    """Those that forbid using the file."""
    return [issue for issue in issues if issue.severity == "error"]


def in_reading_order(issues: Iterable[Issue]) -> list[Issue]:
    """By file, line and column; the same finding once."""
    return sorted(dict.fromkeys(issues), key=lambda issue: (issue.path, issue.line, issue.column, issue.code))


#: Words of other rule languages and search forms, and ours for them.
_ELSEWHERE = {
    "or": "any",
    "keywords": "any",
    "words": "any",
    "contains": "any",
    "and": "all",
    "not": "none",
    "exclude": "none",
    "pattern": "regex",
    "regexp": "regex",
    "unless": "except",
    "exceptions": "except",
    "allow": "except",
    "condition": "when",
    "conditions": "when",
    "level": "severity",
    "priority": "score",
    "name": "id",
    "title": "description",
    "category": "domain",
    "enabled": "mode",
    "expires": "valid_until",
    "examples": "tests",
    "positive": "should_match",
    "negative": "should_not_match",
    "on": "active",
    "yes": "active",
    "live": "active",
    "enforce": "active",
    "test": "shadow",
    "dry-run": "shadow",
    "no": "off",
    "disabled": "off",
}


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """A hint naming the known word nearest to the written one, in letters or in sense, or all of a handful, or nothing."""
    words = list(known)
    if near := nearest(written, words):
        return f'did you mean "{near}"?'
    return f"one of: {', '.join(words)}" if 0 < len(words) <= 12 else ""


def nearest(written: str, known: Iterable[str]) -> str:
    """The known word nearest to the written one, in letters or in sense; empty if there is none."""
    words = list(known)
    ours = _ELSEWHERE.get(written.casefold(), "")
    if ours in words:
        return ours
    near = difflib.get_close_matches(written, words, n=1)
    return near[0] if near else ""
