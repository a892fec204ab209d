"""What a syntax error of the YAML parser means to the person who wrote the file: where to look, what to do (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml


@dataclass(frozen=True, slots=True)
class Explained:
    """A syntax error in words. `line` and `column` count from 1."""

    line: int
    column: int
    message: str
    hint: str


_CLOSING = {"[": "]", "{": "}"}
_INDENTED_WITH = re.compile(r"[ \t\u3000\u00a0]*")
_WIDE_COLON = re.compile(r"^[^'\"#:]*?(：)")
_NO_SPACE_AFTER_DASH = re.compile(r"^\s*-([^\s-])")
_OTHERWISE = {
    "found unknown escape character": (
        r'inside "..." a \ begins an escape',
        r"put single quotes round patterns: '\d+'",
    ),
    "did not find expected alphabetic or numeric character": (
        "a text that begins with * or & means something else",
        "put quotes round it",
    ),
    "did not find expected whitespace or line break": (
        "a text that begins with ! means something else",
        "put quotes round it",
    ),
    "did not find expected node content": (
        "something is missing before this place",
        "a # begins a comment: put quotes round a text that holds one; or a [ or { above is not closed",
    ),
    "did not find expected key": (
        "this line does not belong to the ones above it",
        "indent it exactly like them; begin an item of a list with - and a space",
    ),
    "did not find expected '-' indicator": (
        "this line does not belong to the ones above it",
        "indent it exactly like them; begin an item of a list with - and a space",
    ),
}


def explained(error: yaml.MarkedYAMLError, text: str) -> Explained:
    """The error in words. It is often noticed lines after the mistake; the place is that of the mistake where it is known."""
    lines = text.splitlines() or [""]
    mark, context_mark = error.problem_mark or error.context_mark, error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    began = (context_mark.line, context_mark.column) if context_mark else (line, column)
    problem, context = str(error.problem), str(error.context)
    if found := _by_what_is_written(lines, {began[0], line, line - 1}):
        return found
    if "flow" in context and _at(lines, began) in _CLOSING:
        opened = _at(lines, began)
        return _said(
            began,
            f"the {opened} that begins here is not closed where it should be",
            f"close it with {_CLOSING[opened]}, put commas between the items, and quotes round an item that holds "
            "one of , : # ' \" [ ] { }",
        )
    if "quoted scalar" in context and "escape" not in problem:
        return _said(
            began,
            "the quote that begins here is not closed",
            "an apostrophe inside '...' is written twice: ''",
        )
    return _by_problem(problem, lines, began, (line, column))


def _by_problem(problem: str, lines: list[str], began: tuple[int, int], place: tuple[int, int]) -> Explained:
    if problem == "could not find expected ':'":
        return _said(began, "this line is no `key: value`", "a colon and a space after the key")
    if problem == "mapping values are not allowed in this context":
        if _deeper_than_before(lines, place[0]):
            return _said(
                (place[0], 0),
                "this line is indented further than the one above it",
                "indent it exactly like it",
            )
        return _said(
            place,
            'a ":" inside a text',
            "put quotes round the text; or the line above is not finished",
        )
    if problem == "found character that cannot start any token":
        return _said(place, f'a text cannot begin with "{_at(lines, place)}"', "put quotes round it")
    message, hint = _OTHERWISE.get(problem, (problem, ""))
    return _said(place, message, hint)


def _by_what_is_written(lines: list[str], suspects: set[int]) -> Explained | None:
    """Mistakes that can be seen on the line itself."""
    for number in sorted(suspects):
        if not 0 <= number < len(lines):
            continue
        line = lines[number]
        indentation = _INDENTED_WITH.match(line)
        used = indentation.group() if indentation else ""
        for character, name in (
            ("\t", "a tab"),
            ("\u3000", "a full-width space"),
            ("\u00a0", "a no-break space"),
        ):
            if character in used:
                return _said(
                    (number, used.index(character)), f"{name} at the start of the line", "indent with spaces"
                )
        if wide := _WIDE_COLON.match(line):
            return _said((number, wide.start(1)), 'a full-width "：" ends no key', 'write ":" and a space')
        if dash := _NO_SPACE_AFTER_DASH.match(line):
            return _said((number, dash.start(1)), 'there is no space after "-"', 'write "- "')
    return None


def _deeper_than_before(lines: list[str], number: int) -> bool:
    before = next((line for line in reversed(lines[:number]) if line.strip()), "")
    return _depth(lines[number]) > _depth(before) and not before.rstrip().endswith((":", "|", ">"))


def _depth(line: str) -> int:
    """Spaces before the first key, that of a list item's first key too."""
    return len(line) - len(line.lstrip(" -"))


def _at(lines: list[str], place: tuple[int, int]) -> str:
    line, column = place
    return lines[line][column : column + 1] if line < len(lines) else ""


def _said(place: tuple[int, int], message: str, hint: str) -> Explained:
    return Explained(place[0] + 1, place[1] + 1, message, hint)
