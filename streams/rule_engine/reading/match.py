"""Reads `match:`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from streams.rule_engine.lint import lint_word, redundant_words
from streams.rule_engine.reading.lists import MAX_WORD_CHARS, MAX_WORDS, Lists, listed
from streams.rule_engine.regexes import BadRegex, check_regex
from streams.rule_engine.required import required_literals
from streams.rule_engine.rule import BOUNDARIES, VIEWS, Boundary, Count, Match, Near, View
from streams.rule_engine.views import in_view
from streams.yaml_cursor import Cursor

MAX_CHILDREN = 50
MAX_REGEX_CHARS = 1_000
#: Farther apart than this, two words in a message have nothing to do with one another.
MAX_WITHIN = 200
DEFAULT_WITHIN = 20

OPERATORS = ("any", "all", "regex", "near", "count", "list")
MATCH_KEYS = (*OPERATORS, "none", "view", "boundary", "field")


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a node takes over from the node around it."""

    view: View = "safe"
    boundary: Boundary = "none"


def read_match(
    cursor: Cursor, lists: Lists, fields: Sequence[str], inherited: Inherited | None = None
) -> Match | None:
    """A node of the match tree; None after an issue was noted. `fields` are the field names a node may ask for."""
    if not cursor.mapping(MATCH_KEYS):
        return None
    inherited = inherited or Inherited()
    view: View = cursor.read("view", _view) or inherited.view
    boundary: Boundary = cursor.read("boundary", _boundary) or inherited.boundary
    field = cursor.read("field", lambda at: at.word(fields)) if fields else None
    own = Inherited(view, boundary)
    present = [operator for operator in OPERATORS if operator in cursor.value]
    if len(present) != 1:
        _not_one_operator(cursor, present)
        return None
    operand = cursor.get(present[0])
    if operand is None:
        return None
    if present[0] == "regex":  # a pattern is written for one view, so it takes over none from around it
        own = Inherited(cursor.read("view", _view) or "safe")
    bare = _operand(operand, present[0], lists, fields, own)
    none = cursor.get("none")
    vetoes = _children(none, lists, fields, Inherited(view, boundary)) if none is not None else ()
    if present[0] == "regex" and "boundary" in cursor.value:
        cursor.note(
            "regex-option",
            '"boundary" does nothing beside "regex"',
            r"remove it; \b stands between a Latin letter and anything else",
            at_key="boundary",
        )
    if bare is None:
        return None
    # vetoes that are plain words are compiled with the view of this node
    vetoes = tuple(
        Match(any=(veto,), view=view, boundary=boundary)
        if isinstance(veto, str) and own.view != view
        else veto
        for veto in vetoes
    )
    return msgspec.structs.replace(bare, none=vetoes, view=own.view, boundary=own.boundary, field=field)


def _operand(
    cursor: Cursor, operator: str, lists: Lists, fields: Sequence[str], own: Inherited
) -> Match | None:
    """A match of the operator alone."""
    match operator:
        case "any":
            bare = Match(any=_words(cursor, own, lists))
        case "list":
            bare = Match(any=_named_list(cursor, lists, own.view))
        case "all":
            bare = Match(all=_children(cursor, lists, fields, own))
        case "near":
            bare = Match(near=_near(cursor, own, lists))
        case "count":
            bare = Match(count=_count(cursor, own, lists))
        case _:
            bare = Match(regex=_regex(cursor, own.view))
    return None if bare == Match() else bare  # nothing could be read, and that has been noted


def _view(cursor: Cursor) -> View | None:
    return cursor.word(VIEWS)


def _boundary(cursor: Cursor) -> Boundary | None:
    return cursor.word(BOUNDARIES)


def _not_one_operator(cursor: Cursor, present: Sequence[str]) -> None:
    if present:
        both = " and ".join(f'"{operator}"' for operator in present)
        cursor.note("operators", f"{both} in one place", 'put them as separate items under "all:"')
    else:
        cursor.note(
            "no-operator",
            "a match needs one of any, all, regex, near, count, list",
            'with "none" alone it would fire on everything' if "none" in cursor.value else "",
        )


def _children(
    cursor: Cursor, lists: Lists, fields: Sequence[str], inherited: Inherited
) -> tuple[Match | str, ...]:
    children: list[Match | str] = []
    for item in cursor.items(most=MAX_WORDS):
        if isinstance(item.value, dict):
            if child := read_match(item, lists, fields, inherited):
                children.append(child)
        elif (word := _word(item, inherited.view)) is not None:
            children.append(word)
    if sum(isinstance(child, Match) for child in children) > MAX_CHILDREN:
        cursor.note("too-many", f"more than {MAX_CHILDREN} conditions in one place", "make it several rules")
    return tuple(children)


def _word(cursor: Cursor, view: View) -> str | None:
    word = cursor.text(most=MAX_WORD_CHARS)
    if word is None:
        return None
    if not in_view(word, view).strip():
        cursor.note(
            "word-vanishes",
            f'nothing of "{word}" is left in the {view} view, so it never matches',
            "remove it",
        )
        return None
    if found := lint_word(word, view):
        cursor.note(*found, severity="warning")
    return word


def _words(cursor: Cursor, own: Inherited, lists: Lists) -> tuple[str, ...]:
    """Words and `{list: name}` among them, or one `{list: name}` in their place."""
    if isinstance(cursor.value, dict):
        return _list_item(cursor, lists, own.view)
    items = cursor.items(most=MAX_WORDS)
    named = [
        word for item in items if isinstance(item.value, dict) for word in _list_item(item, lists, own.view)
    ]
    read = [(item, _word(item, own.view)) for item in items if not isinstance(item.value, dict)]
    words = [(item, word) for item, word in read if word is not None]
    # a word that must stand alone is not found inside a longer one
    contained = redundant_words([word for _, word in words], own.view) if own.boundary == "none" else ()
    for index, other in contained:
        words[index][0].note(
            "redundant-word",
            f'"{words[index][1]}" adds nothing: it contains "{words[other][1]}"',
            "remove one of them",
            severity="warning",
        )
    return tuple(dict.fromkeys([*(word for _, word in words), *named]))


def _list_item(cursor: Cursor, lists: Lists, view: View) -> tuple[str, ...]:
    if not cursor.mapping(("list",), required=("list",)):
        return ()
    return cursor.read("list", lambda at: _named_list(at, lists, view)) or ()


def _named_list(cursor: Cursor, lists: Lists, view: View) -> tuple[str, ...]:
    words = listed(cursor, lists)
    usable = []
    for word in words:
        if not in_view(word, view).strip():
            cursor.note(
                "word-vanishes",
                f'nothing of "{word}" of the list "{cursor.value}" is left in the {view} view',
                "remove it",
            )
            continue
        usable.append(word)
        if found := lint_word(word, view):
            code, message, hint = found
            cursor.note(code, f'list "{cursor.value}": {message}', hint, severity="warning")
    return tuple(usable)


def _near(cursor: Cursor, own: Inherited, lists: Lists) -> Near | None:
    if not cursor.mapping(("a", "b", "within"), required=("a", "b")):
        return None
    one = cursor.read("a", lambda at: _words(at, own, lists))
    other = cursor.read("b", lambda at: _words(at, own, lists))
    within = DEFAULT_WITHIN
    if (written := cursor.get("within")) is not None:
        within = written.integer(least=0, most=MAX_WITHIN) or 0
    return Near(one, other, within) if one and other else None


def _count(cursor: Cursor, own: Inherited, lists: Lists) -> Count | None:
    if not cursor.mapping(("of", "at_least", "distinct"), required=("of", "at_least")):
        return None
    words = cursor.read("of", lambda at: _words(at, own, lists))
    at_least = cursor.read("at_least", lambda at: at.integer(least=1, most=50))
    distinct = cursor.read("distinct", lambda at: at.flag())
    if not words or at_least is None:
        return None
    if distinct is not False and at_least > len(words):
        cursor.note(
            "count", f"{at_least} different words of {len(words)} can never be found", "lower at_least"
        )
        return None
    return Count(words, at_least, distinct is not False)


def _regex(cursor: Cursor, view: View) -> str | None:
    pattern = cursor.text(most=MAX_REGEX_CHARS)
    if pattern is None:
        return None
    try:
        check_regex(pattern, view)
    except BadRegex as error:
        cursor.note("regex", str(error), error.hint)
        return None
    if not required_literals(pattern, view):
        cursor.note(
            "slow-regex",
            "no word is part of every match, so it runs on every text",
            "fine for a few hundred rules; else write out a word of two characters or more",
            severity="warning",
        )
    return pattern
