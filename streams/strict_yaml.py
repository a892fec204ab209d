"""A small, strict YAML for files people edit: every value keeps its line and column, nothing is guessed or executed.

Left out on purpose: anchors, aliases and tags (the "billion laughs" and `!!python` attacks), several documents,
duplicate keys (one would silently win) and YAML 1.1's guesses (`no` → False, `12:30` → 750, dates).
Only `true`, `false`, `null`, integers and decimal fractions have a type; `08012345678` and `2026-11-01` stay text.

libyaml's events are read one at a time, so nesting is refused as soon as it is too deep. The ordinary loaders
recurse instead, and 200,000 open brackets kill the process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from streams.diagnostics import Issue
from streams.yaml_syntax import explained

#: 1 MiB is some 2,000 rules: more than anybody reviews in one file.
MAX_BYTES = 1 << 20
#: A deeply nested match tree reaches 12.
MAX_DEPTH = 24
MAX_VALUES = 200_000

Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = Any  # Scalar | list[Value] | dict[str, Value]; mypy cannot follow the recursion usefully
Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]

#: Up to 15 digits, which a float holds exactly; anything longer is an identifier, not a quantity.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,14})\Z")
_FRACTION = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}\Z")
#: Control characters, line separators that editors and libyaml count differently, and bidirectional controls, with
#: which a rule can be made to look like another one (CVE-2021-42574).
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
#: First bytes of Word and zip files, old Word files and PDF.
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its value, and where each value and each key stands (line, column from 1)."""

    path: str
    root: Value
    places: Mapping[Path, Place]
    key_places: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """Where a value stands, or the nearest value around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def load(data: bytes, path: str) -> tuple[Document | None, list[Issue]]:
    """Parse one file. The document is None if it could not be read; the issues then say why."""
    try:
        text = _decode(data, path)
        builder = _Builder(path)
        _read_events(text, builder)
    except _Refused as refused:
        return None, [refused.issue]
    if builder.issues:
        return None, builder.issues
    return Document(path, builder.root, builder.places, builder.key_places), []


def read_text(data: bytes, path: str) -> tuple[str | None, list[Issue]]:
    """The text of a file under the same limits: UTF-8, not too large, nothing invisible. None and why if refused."""
    try:
        return _decode(data, path), []
    except _Refused as refused:
        return None, [refused.issue]


class _Refused(Exception):
    """Ends the reading of a file: nothing after this place can be trusted."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.render())
        self.issue = issue


def _decode(data: bytes, path: str) -> str:
    if len(data) > MAX_BYTES:
        raise _Refused(
            Issue(
                "yaml.too-large",
                f"the file has {len(data)} bytes; the limit is {MAX_BYTES}",
                path,
                1,
                1,
                "split it",
            )
        )
    if data.startswith(_NO_TEXT):
        raise _Refused(
            Issue("yaml.not-utf8", "this is no text file", path, 1, 1, "save it as plain text, in UTF-8")
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before) - before.rfind(b"\n")
        raise _Refused(
            Issue(
                "yaml.not-utf8",
                f"byte 0x{data[error.start]:02x} is not UTF-8",
                path,
                before.count(b"\n") + 1,
                column,
                "save the file as UTF-8, not Shift_JIS or UTF-16",
            )
        ) from error
    if forbidden := _FORBIDDEN.search(text):
        at = forbidden.start()
        raise _Refused(
            Issue(
                "yaml.forbidden-character",
                f"forbidden invisible character U+{ord(forbidden.group()):04X}",
                path,
                text.count("\n", 0, at) + 1,
                at - text.rfind("\n", 0, at),
                "delete it and type the line again",
            )
        )
    return text


def _read_events(text: str, builder: _Builder) -> None:
    parser = yaml.CSafeLoader(text)
    try:
        while (event := parser.get_event()) is not None:
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        said = explained(error, text)
        issue = Issue(
            "yaml.syntax",
            f"not valid YAML: {said.message}",
            builder.path,
            said.line,
            said.column,
            said.hint,
        )
        raise _Refused(issue) from error
    except yaml.YAMLError as error:
        raise _Refused(Issue("yaml.syntax", f"not valid YAML: {error}", builder.path, 1, 1)) from error
    finally:
        parser.dispose()


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    value: list[Value] | dict[str, Value]
    path: Path
    key: str | None = None  # of a mapping: the key whose value comes next


@dataclass(slots=True)
class _Builder:
    """Builds the value from parser events, without recursion."""

    path: str
    root: Value = None
    places: dict[Path, Place] = field(default_factory=dict)
    key_places: dict[Path, Place] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _documents: int = 0
    _values: int = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event to the value under construction."""
        if isinstance(event, yaml.ScalarEvent):
            self._no_tricks(event)
            self._put_scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._no_tricks(event)
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(
                event, "yaml.alias", f"YAML alias *{event.anchor} is not allowed here", "write the value out"
            )
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(
                    event, "yaml.documents", "only one YAML document per file", 'remove the second "---"'
                )

    def _no_tricks(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            self._refuse(
                event, "yaml.too-many-values", f"more than {MAX_VALUES} values in one file", "split it"
            )
        if event.anchor:
            self._refuse(
                event,
                "yaml.anchor",
                f"YAML anchor &{event.anchor} is not allowed here",
                "write the value out",
            )
        if isinstance(event, yaml.ScalarEvent) and (hidden := _FORBIDDEN.search(event.value)):
            # written as an escape, which the file itself does not show
            self._refuse(
                event,
                "yaml.forbidden-character",
                f"forbidden invisible character U+{ord(hidden.group()):04X} in this text",
                "delete the escape (\\u..., \\x...)",
            )
        if event.tag:
            self._refuse(
                event, "yaml.tag", f"YAML tag {event.tag} is not allowed here", "put quotes round the text"
            )

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._refuse(
                event, "yaml.too-deep", f"nested more than {MAX_DEPTH} levels deep", "use fewer levels"
            )
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._refuse(
                event, "yaml.key", "a key must be plain text", 'a "?" or a bracket at the start: quote it'
            )
        value: list[Value] | dict[str, Value] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._open.append(_Open(value, self._attach(value, event)))

    def _put_scalar(self, event: yaml.ScalarEvent) -> None:
        parent = self._open[-1] if self._open else None
        if parent is None or isinstance(parent.value, list) or parent.key is not None:
            self._attach(_typed(event.value, plain=not event.style), event)
            return
        key, path = event.value, (*parent.path, event.value)
        if key in parent.value:
            line, column = _place(event)
            self.issues.append(
                Issue(
                    "yaml.duplicate-key",
                    f'key "{key}" appears twice in the same mapping (first at line {self.key_places[path][0]})',
                    self.path,
                    line,
                    column,
                    "one of them would be ignored: remove or rename it",
                )
            )
        else:
            self.key_places[path] = _place(event)
        parent.key = key

    def _attach(self, value: Value, event: yaml.Event) -> Path:
        path: Path = ()
        if not self._open:
            self.root = value
        else:
            parent = self._open[-1]
            if isinstance(parent.value, list):
                path = (*parent.path, len(parent.value))
                parent.value.append(value)
            else:
                assert parent.key is not None
                path = (*parent.path, parent.key)
                parent.value[parent.key] = value
                parent.key = None
        self.places[path] = _place(event)
        return path

    def _refuse(self, event: yaml.Event, code: str, message: str, hint: str) -> None:
        line, column = _place(event)
        raise _Refused(Issue(code, message, self.path, line, column, hint))


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    assert mark is not None, "libyaml marks every event"
    return mark.line + 1, mark.column + 1


def _typed(written: str, *, plain: bool) -> Scalar:
    if not plain:
        return written
    if written in ("", "~", "null"):
        return None
    if written in ("true", "false"):
        return written == "true"
    if _INTEGER.match(written):
        return int(written)
    if _FRACTION.match(written):
        return float(written)
    return written
