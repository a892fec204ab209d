"""Reads what a rule says besides words: metadata conditions, the window, times."""

from __future__ import annotations

from datetime import datetime

from streams.diagnostics import did_you_mean
from streams.events import STATUSES
from streams.rule_engine.rule import (
    ATTRIBUTE_PREFIX,
    METADATA,
    SCOPES,
    WINDOW_MESSAGES,
    Condition,
    Fact,
    Scope,
    Window,
)
from streams.vocabulary import Kind
from streams.yaml_cursor import Cursor

WRITERS = ("seller", "buyer")
#: Metadata that are quantities; the others are texts, except attributes, which are whatever the listing says.
QUANTITIES = ("price",)
LIMITS = ("lt", "lte", "gt", "gte")
#: More than any price in any currency.
_LARGEST = 1e15


def read_when(cursor: Cursor, kind: Kind) -> dict[str, Condition]:
    """Conditions by metadata name."""
    if not isinstance(cursor.value, dict):
        cursor.note("wrong-type", '"when" must be a mapping of metadata names to values')
        return {}
    conditions: dict[str, Condition] = {}
    for name, value in cursor.entries():
        if not is_metadata(name, kind):
            _unknown_metadata(cursor, name, kind)
        elif (condition := _condition(value, name)) is not None:
            conditions[name] = condition
    return conditions


def is_metadata(name: str, kind: Kind) -> bool:
    """Whether events of a kind may have metadata of this name."""
    return name in METADATA[kind] or (
        kind == "listing" and len(name) > len(ATTRIBUTE_PREFIX) and name.startswith(ATTRIBUTE_PREFIX)
    )


def read_window(cursor: Cursor) -> Window | None:
    """The messages a rule reads."""
    if not cursor.mapping(("messages", "scope", "same_writer")):
        return None
    messages = cursor.read("messages", lambda at: at.integer(least=1, most=WINDOW_MESSAGES))
    scope: Scope | None = cursor.read("scope", _scope)
    same_writer = cursor.read("same_writer", lambda at: at.flag())
    if scope is None and "scope" in cursor.value:
        return None
    window = Window(
        messages=WINDOW_MESSAGES if messages is None else messages,
        scope=scope or "last",
        same_writer=same_writer is not False,
    )
    if window.scope == "last":
        for key in ("messages", "same_writer"):
            if key in cursor.value and not (key == "messages" and window.messages == 1):
                cursor.note(
                    "window",
                    f'"{key}" does nothing with scope "last"',
                    'write "scope: any" or "scope: together"',
                    at_key=key,
                )
        return Window()
    return window


def read_time_us(cursor: Cursor) -> int | None:
    """A time with its zone, in microseconds since 1970."""
    written = cursor.text(most=40)
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        cursor.note("time", f'"{written}" is not a time', "write it as 2026-11-01T00:00:00+09:00")
        return None
    if moment.tzinfo is None:
        cursor.note("time", f'"{written}" has no time zone', "add one, e.g. +09:00")
        return None
    return round(moment.timestamp() * 1_000_000)


def _scope(cursor: Cursor) -> Scope | None:
    return cursor.word(SCOPES)


def _unknown_metadata(cursor: Cursor, name: str, kind: Kind) -> None:
    other: Kind = "listing" if kind == "message" else "message"
    if is_metadata(name, other):
        cursor.note(
            "when-kind",
            f'a {kind} has no "{name}", so the rule would never fire',
            f"{other}s have it",
            at_key=name,
        )
    else:
        known = METADATA[kind] + ((f"{ATTRIBUTE_PREFIX}<name>",) if kind == "listing" else ())
        cursor.note("when-unknown", f'unknown metadata "{name}"', did_you_mean(name, known), at_key=name)


def _condition(cursor: Cursor, name: str) -> Condition | None:
    if isinstance(cursor.value, dict):
        return _limits(cursor, name)
    return Condition(one_of=values) if (values := _facts(cursor, name)) else None


def _limits(cursor: Cursor, name: str) -> Condition | None:
    if not cursor.mapping((*LIMITS, "not_in")):
        return None
    if not cursor.value:
        cursor.note("empty", f'"{name}" asks for nothing', f"give one of: {', '.join((*LIMITS, 'not_in'))}")
        return None
    limits = {
        key: cursor.read(key, lambda at: at.number(least=-_LARGEST, most=_LARGEST))
        for key in LIMITS
        if key in cursor.value
    }
    if limits and name not in QUANTITIES and not name.startswith(ATTRIBUTE_PREFIX):
        cursor.note("when-type", f'"{name}" is a text and has no more or less', "give a value or a list")
        return None
    lows = [limit for key, limit in limits.items() if key.startswith("g") and limit is not None]
    highs = [limit for key, limit in limits.items() if key.startswith("l") and limit is not None]
    if lows and highs and max(lows) > min(highs):
        cursor.note(
            "when-range", f'no "{name}" is both over {max(lows):g} and under {min(highs):g}', "swap them"
        )
        return None
    not_in = cursor.read("not_in", lambda at: _facts(at, name)) or ()
    return Condition(
        not_in=not_in,
        lt=limits.get("lt"),
        lte=limits.get("lte"),
        gt=limits.get("gt"),
        gte=limits.get("gte"),
    )


def _facts(cursor: Cursor, name: str) -> tuple[Fact, ...]:
    items = cursor.items(most=1000) if isinstance(cursor.value, list) else [cursor]
    facts = [_fact(item, name) for item in items]
    return tuple(fact for fact in facts if fact is not None)


def _fact(cursor: Cursor, name: str) -> Fact | None:
    if name.startswith(ATTRIBUTE_PREFIX) and isinstance(cursor.value, bool | int | float):
        return cursor.value if isinstance(cursor.value, bool) else float(cursor.value)
    if name in QUANTITIES:
        return cursor.number(least=-_LARGEST, most=_LARGEST)
    if name == "writer":
        return cursor.word(WRITERS)
    value = cursor.text(most=200)
    if name == "status" and value is not None and value not in STATUSES:
        # allowed: a marketplace may have statuses of its own
        cursor.note(
            "status",
            f'"{value}" is no status of the contract',
            did_you_mean(value, STATUSES),
            severity="warning",
        )
    return value
