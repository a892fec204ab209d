"""Reads `except:`: the phrases, and the writers, that a rule spares."""

from __future__ import annotations

from dataclasses import dataclass

from streams.rule_engine.lint import exception_applies
from streams.rule_engine.match_tree import views_used
from streams.rule_engine.reading.lists import MAX_WORD_CHARS, MAX_WORDS, Lists, listed
from streams.rule_engine.rule import Match, View
from streams.rule_engine.views import in_view
from streams.yaml_cursor import Cursor

MAX_PHRASES = 5_000
EXCEPT_KEYS = ("phrases", "writers", "writer_groups")


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What a rule spares. `writers` are ids, those of the groups among them."""

    phrases: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()


def read_exceptions(cursor: Cursor, match: Match | None, lists: Lists) -> Exceptions | None:
    """The exceptions of a rule; None if this is no mapping."""
    if not cursor.mapping(EXCEPT_KEYS):
        return None
    if not cursor.value:
        cursor.note("empty", '"except" excepts nothing', f"give one of: {', '.join(EXCEPT_KEYS)}")
    written = cursor.get("writers")
    writers = list(written.texts(most=MAX_WORDS)) if written else []
    groups = cursor.get("writer_groups")
    for item in groups.items(most=50) if groups else ():
        writers += listed(item, lists)
    return Exceptions(_phrases(cursor, match), tuple(sorted(set(writers))))


def _phrases(cursor: Cursor, match: Match | None) -> tuple[str, ...]:
    written = cursor.get("phrases")
    phrases: list[str] = []
    for item in written.items(most=MAX_PHRASES) if written else ():
        phrase = item.text(most=MAX_WORD_CHARS)
        if phrase is None:
            continue
        views: list[View] = sorted(views_used(match)) if match is not None else ["safe"]
        if vanished := next((view for view in views if not in_view(phrase, view).strip()), None):
            item.note("word-vanishes", f'nothing of "{phrase}" is left in the {vanished} view', "remove it")
            continue
        if match is not None and not exception_applies(phrase, match):
            item.note(
                "idle-exception",
                f'"{phrase}" contains no word of the rule, so it excepts nothing',
                "remove it",
                severity="warning",
            )
        phrases.append(phrase)
    return tuple(dict.fromkeys(phrases))
