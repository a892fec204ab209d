"""A section of a manifest, read into the frozen dataclass that describes it: a new field needs no reader of its own."""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from streams.yaml_cursor import Cursor

_LONGEST_TEXT: Final = 1_000
_MOST_ITEMS: Final = 100
#: YAML 1.1 reads 1e-3 as text, and 1.0e-3 as a number.
_EXPONENT: Final = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")


def read_section(cursor: Cursor, options: type[Any], *, given: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
    """An instance of the dataclass `options` from a mapping whose keys are its fields; None after noting issues.

    `given` are fields that are set elsewhere and must not be written here. What `__post_init__` refuses is noted at
    the section.
    """
    given = given or {}
    types_of = get_type_hints(options)
    names = [field.name for field in dataclasses.fields(options) if field.name not in given]
    before = len(cursor.issues)
    if not cursor.mapping(names):
        return None
    values: dict[str, Any] = {}
    for name in names:
        child = _child(cursor, name, types_of[name])
        if child is not None:
            values[name] = _read(child, types_of[name])
    if len(cursor.issues) > before:
        return None
    return made(cursor, options, {**given, **values})


def made(cursor: Cursor, options: type[Any], values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an instance of it
    """The instance; None after noting why its `__post_init__` refuses the values."""
    try:
        return options(**values)
    except ValueError as error:
        cursor.note("wrong-value", str(error))
        return None


def as_yaml_value(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    """A field's value as the manifest would hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_yaml_value(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [as_yaml_value(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value


def _child(cursor: Cursor, name: str, kind: Any) -> Cursor | None:  # noqa: ANN401 - a type
    """The value of a key; an empty one only where the field may be None."""
    if name not in cursor.value:
        return None
    if cursor.value[name] is None and type(None) in _choices(kind):
        return Cursor(cursor.document, (*cursor.path, name), None, cursor.issues, cursor.code, cursor.subject)
    return cursor.get(name)


def _choices(kind: Any) -> Collection[Any]:  # noqa: ANN401 - a type
    return get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)


def _read(cursor: Cursor, kind: Any) -> Any:  # noqa: ANN401, PLR0911 - one line a type
    """The value as that type, or None after noting an issue."""
    choices = [choice for choice in _choices(kind) if choice is not type(None)]
    if cursor.value is None and type(None) in _choices(kind):
        return None
    if len(choices) > 1:
        fitting = next((choice for choice in choices if _is_of(cursor.value, choice)), None)
        if fitting is None:
            return _refuse(cursor, " or ".join(_named(choice) for choice in choices))
        return _read(cursor, fitting)
    (only,) = choices
    origin = get_origin(only)
    if origin is Literal:
        return cursor.word(get_args(only))
    if origin is tuple:
        return tuple(_read(item, get_args(only)[0]) for item in cursor.items(most=_MOST_ITEMS))
    if dataclasses.is_dataclass(only) and isinstance(only, type):
        return read_section(cursor, only)
    if only is bool:
        return cursor.flag()
    if only in {int, float}:
        if not _is_of(cursor.value, only):
            return _refuse(cursor, _named(only))
        return only(cursor.value)
    if only in {str, Path}:
        text = cursor.text(most=_LONGEST_TEXT)
        return text if text is None or only is str else Path(text)
    raise TypeError(f"{cursor.name}: a manifest cannot hold a {only}")


def _is_of(value: Any, kind: Any) -> bool:  # noqa: ANN401 - a YAML value and a type
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, list):
        return get_origin(kind) is tuple
    if isinstance(value, str):
        return kind in {str, Path}
    return isinstance(value, int | float) and (kind is float or (kind is int and isinstance(value, int)))


def _named(kind: Any) -> str:  # noqa: ANN401 - a type
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(
        kind, "a list" if get_origin(kind) is tuple else "text"
    )


def _refuse(cursor: Cursor, wanted: str) -> None:
    name = cursor.name.rpartition(".")[2]
    hint = ""
    if isinstance(cursor.value, str) and _EXPONENT.fullmatch(cursor.value):
        hint = "write it without exponent: 0.001, not 1e-3"
    cursor.note(
        "wrong-type", f'"{name}" must be {wanted}, not {json.dumps(cursor.value, ensure_ascii=False)}', hint
    )
