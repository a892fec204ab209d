"""Named word lists: under `lists:` of a rule file, or one entry a line in lists/*.txt beside the rule files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from streams.diagnostics import Issue, did_you_mean
from streams.strict_yaml import read_text
from streams.yaml_cursor import Cursor

MAX_WORDS = 20_000
MAX_WORD_CHARS = 200

Lists = Mapping[str, tuple[str, ...]]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,79}\Z")


def read_lists(cursor: Cursor, shared: Lists) -> dict[str, tuple[str, ...]]:
    """The lists that the rules of a file may name: the shared ones and its own."""
    if not isinstance(cursor.value, dict):
        cursor.note("wrong-type", '"lists" must be a mapping of names to lists of words')
        return dict(shared)
    own = {}
    for name, words in cursor.entries():
        if name in shared:
            cursor.note(
                "repeated-list",
                f'the list "{name}" is also the file lists/{name}.txt',
                "rename one of them",
                at_key=name,
            )
        own[name] = words.texts(most=MAX_WORDS, longest=MAX_WORD_CHARS)
    return {**shared, **own}


def read_list_file(data: bytes, path: str) -> tuple[tuple[str, ...], list[Issue]]:
    """The entries of a lists/*.txt: one a line; empty lines and those that begin with # do not count."""
    text, issues = read_text(data, path)
    if text is None:
        return (), issues
    name = PurePath(path).stem
    if not _NAME.match(name):
        issues.append(
            Issue(
                "list.name",
                f'"{name}" cannot be the name of a list',
                path,
                1,
                1,
                "small letters, digits, - and _",
            )
        )
    entries: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if len(entry) > MAX_WORD_CHARS:
            issues.append(
                Issue(
                    "list.long-entry",
                    f"an entry of {len(entry)} characters; the limit is {MAX_WORD_CHARS}",
                    path,
                    number,
                    1,
                    "one word a line",
                )
            )
        entries.setdefault(entry, number)
    if not entries:
        issues.append(Issue("list.empty", "the list is empty", path, 1, 1, "add an entry or delete the file"))
    if len(entries) > MAX_WORDS:
        issues.append(
            Issue(
                "list.too-many", f"{len(entries)} entries; the limit is {MAX_WORDS}", path, 1, 1, "split it"
            )
        )
        return (), issues
    return tuple(entries), issues


def listed(cursor: Cursor, lists: Lists) -> tuple[str, ...]:
    """The entries of the list that is named here; none after an issue was noted."""
    name = cursor.text(most=100)
    if name is None:
        return ()
    if name not in lists:
        hint = did_you_mean(name, lists) or 'define it under "lists:" in this file, or as lists/<name>.txt'
        cursor.note("unknown-list", f'there is no list "{name}"', hint)
        return ()
    return lists[name]
