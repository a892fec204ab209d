"""A place in a YAML document: reads typed values and notes everything that is wrong, instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from streams.diagnostics import Issue, Severity, did_you_mean, nearest
from streams.strict_yaml import Document, Path, Value

Read = TypeVar("Read")
Word = TypeVar("Word", bound=str)

#: As many keys as a hint can name, and the longest value that it repeats.
_FEW = 12
_SHORT = 40
_TYPE_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    type(None): "nothing",
}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A value, where it stands and whose it is. Readers return None after noting an issue.

    `subject` ("rule pay.x", "domain y") begins every message: the reader of a log sees no file beside it.
    """

    document: Document
    path: Path
    value: Value
    issues: list[Issue]
    code: str  # first part of the codes noted here, e.g. "rule"
    subject: str = ""

    @classmethod
    def at_root(cls, document: Document, issues: list[Issue], code: str) -> Cursor:
        """The whole document."""
        return cls(document, (), document.root, issues, code)

    def note(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        severity: Severity = "error",
        at_key: str | None = None,
    ) -> None:
        """Note an issue here, or at a key of this mapping."""
        line, column = self.document.place(self.path)
        if at_key is not None:
            line, column = self.document.key_places.get((*self.path, at_key), (line, column))
        where = f"{self.subject}: " if self.subject else ""
        self.issues.append(
            Issue(
                f"{self.code}.{code}", f"{where}{message}", self.document.path, line, column, hint, severity
            )
        )

    def about(self, subject: str) -> Cursor:
        """The same place, with messages that begin with whom they are about."""
        return Cursor(self.document, self.path, self.value, self.issues, self.code, subject)

    @property
    def name(self) -> str:
        """The way here from the subject, as the writer sees it: `match.all[1].near`."""
        shown = ""
        for step in self.path:
            shown += f"[{step}]" if isinstance(step, int) else f".{step}"
        return shown.removeprefix(".")

    def mapping(self, known: Collection[str], required: Sequence[str] = ()) -> bool:
        """Whether this is a mapping; notes unknown and missing keys."""
        if not self._is(dict, "a mapping", f"its keys: {', '.join(known)}" if len(known) <= _FEW else ""):
            return False
        if self._looks_like_text(known):
            (key,) = self.value
            self.note(
                "wrong-type",
                f'"{self._last}" is a mapping with the key "{key}", because of the ":"',
                "if it is a text, put quotes round all of it",
            )
            return False
        for key in self.value:
            if key not in known:
                self.note("unknown-key", f'unknown key "{key}"', did_you_mean(key, known), at_key=key)
        for key in required:
            if key not in self.value:
                self.note("missing-key", f'"{key}" is missing', f'add "{key}:"')
        return True

    def get(self, key: str) -> Cursor | None:
        """The value of a key of this mapping; None if it is not written. An empty value is None and is noted."""
        if key not in self.value:
            return None
        child = self._child(key)
        if child.value is None:
            child.note("empty", f'"{key}" is empty', "give it a value or remove the key")
            return None
        return child

    def read(self, key: str, reader: Callable[[Cursor], Read | None]) -> Read | None:
        """What the reader makes of a key's value; None if the key is not written or the value is wrong."""
        child = self.get(key)
        return None if child is None else reader(child)

    def entries(self) -> Iterator[tuple[str, Cursor]]:
        """Keys and values of this mapping, in the order written."""
        for key in self.value if isinstance(self.value, dict) else ():
            yield key, self._child(key)

    def items(self, *, most: int) -> list[Cursor]:
        """The items of a non-empty list."""
        if not self._is(list, "a list", self._in_brackets()):
            return []
        if not self.value:
            self.note("empty", f'"{self._last}" is an empty list', "add an item or remove the key")
        if len(self.value) > most:
            self.note(
                "too-many", f'"{self._last}" has {len(self.value)} items; the limit is {most}', "split it"
            )
            return []
        return [self._child(index) for index in range(len(self.value))]

    def text(self, *, most: int, least: int = 1) -> str | None:
        """Text of so many characters."""
        if not isinstance(self.value, str):
            self._wrong("text", self._as_text())
            return None
        if not least <= len(self.value) <= most:
            self.note(
                "length", f'"{self._last}" has {len(self.value)} characters; {least} to {most} are allowed'
            )
            return None
        return self.value

    def texts(self, *, most: int, longest: int = 200) -> tuple[str, ...]:
        """A non-empty list of texts; repeated ones once."""
        found = [item.text(most=longest) for item in self.items(most=most)]
        return tuple(dict.fromkeys(text for text in found if text is not None))

    def word(self, allowed: Sequence[Word]) -> Word | None:
        """One of a few words."""
        for word in allowed:
            if self.value == word:
                return word
        hint = did_you_mean(str(self.value), allowed)
        self.note("wrong-value", f'"{self._last}" is {self._shown()}', hint)
        return None

    def integer(self, *, least: int, most: int) -> int | None:
        """A whole number within limits."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._wrong(f"a whole number from {least} to {most}")
            return None
        if not least <= self.value <= most:
            hint = f"write {least}" if least == most else ""
            self.note("range", f'"{self._last}" is {self.value}; {least} to {most} are allowed', hint)
            return None
        return self.value

    def number(self, *, least: float, most: float) -> float | None:
        """A number within limits."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self._wrong(f"a number from {least:g} to {most:g}")
            return None
        if not least <= self.value <= most:
            self.note("range", f'"{self._last}" is {self.value}; {least:g} to {most:g} are allowed')
            return None
        return float(self.value)

    def flag(self) -> bool | None:
        """`true` or `false`."""
        if not isinstance(self.value, bool):
            self._wrong("true or false")
            return None
        return self.value

    def _child(self, step: str | int) -> Cursor:
        path = (*self.path, step)
        return Cursor(self.document, path, self.value[step], self.issues, self.code, self.subject)

    def _is(self, kind: type, wanted: str, hint: str = "") -> bool:
        if isinstance(self.value, kind):
            return True
        self._wrong(wanted, hint)
        return False

    def _as_text(self) -> str:
        if isinstance(self.value, bool | int | float):
            return "put quotes round it"
        in_list = bool(self.path) and isinstance(self.path[-1], int)
        return "remove the brackets" if isinstance(self.value, list) and in_list else ""

    def _in_brackets(self) -> str:
        if isinstance(self.value, dict):
            return 'begin each item with "- "'
        if not isinstance(self.value, str | int | float):
            return ""
        quoted = f'"{self.value}"' if not isinstance(self.value, str) else self.value
        return (
            f"put brackets round it, also if it is only one: [{quoted}]"
            if len(str(self.value)) <= _SHORT
            else ""
        )

    def _looks_like_text(self, known: Collection[str]) -> bool:
        """Whether this item of a list is `skype: taro`, which somebody meant as a text."""
        if not (self.path and isinstance(self.path[-1], int) and len(self.value) == 1):
            return False
        ((key, value),) = self.value.items()
        return key not in known and not isinstance(value, list | dict) and not nearest(key, known)

    def _wrong(self, wanted: str, hint: str = "") -> None:
        name = f'"{self._last}" must be' if self.path else "the file must be"
        self.note("wrong-type", f"{name} {wanted}, not {self._shown()}", hint)

    def _shown(self) -> str:
        if isinstance(self.value, str):
            return f'"{self.value[:40]}"'
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, int | float):
            return str(self.value)
        return _TYPE_NAMES[type(self.value)]

    @property
    def _last(self) -> str:
        step = self.path[-1] if self.path else "the file"
        if isinstance(step, int):
            named = next((part for part in reversed(self.path) if isinstance(part, str)), "")
            return f"{named}[{step}]"
        return step
