"""docs/rules.md, "Every message and its cure": what is shown as refused is refused with that code, its cure is not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.diagnostics import Issue
from streams.rulebook import LiveRulebook, RulebookRefused
from streams.rulebook.benign import BenignText
from streams.rulebook.check import check
from streams.rulebook.child import check_in_child
from streams.rulebook.files import SourceFile, snapshot
from streams.rulebook.shrink import suspicious_shrink
from tests.unit.test_rulebook_check import DOMAINS, POLICY, file, rule

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
#: 2026-11-21.
_NOW_US = 1_795_219_200 * 1_000_000
_FILE_KEYS = ("format", "lists", "defaults")
#: The rule and the domain that the snippets are put into.
_RULE = {
    "id": "contact.line",
    "description": "x",
    "domain": "contact_exchange",
    "mode": "off",
    "match": "{any: [LINE]}",
    "tests": "{should_match: [LINE]}",
}
_LISTING_RULE = {**_RULE, "domain": "counterfeit", "tests": "{should_match: [{title: LINE}]}"}
_DOMAIN = {"title": "x", "applies_to": "message", "severity": "high"}


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    section: str
    code: str
    refused: str
    instead: str


def _rows() -> list[Row]:
    rows = []
    section = ""
    for line in _DOCUMENT.partition("## Every message and its cure")[2].splitlines():
        if line.startswith("### "):
            section = line.removeprefix("### ")
        elif line.startswith("| `"):
            code, refused, instead, _ = (cell.strip() for cell in line.strip("|").split(" | "))
            rows.append(Row(section, code.strip("` |"), refused, instead))
    return rows


_ROWS = _rows()


def _snippets(cell: str) -> list[str]:
    """The code spans of a cell that is nothing else; none if it is a description in words."""
    spans = re.findall(r"`([^`]+)`", cell)
    return spans if not re.sub(r"`[^`]+`", "", cell).strip() else []


def _files(section: str, snippets: Sequence[str]) -> list[SourceFile]:
    """The files that a row speaks of: a good set with the snippets in the place of what it has."""
    if section == "domains.yaml":
        return [SourceFile("rules/domains.yaml", _domains(snippets))]
    rule_keys = dict(_LISTING_RULE if section == "Rules for listings" else _RULE)
    name, top, below = "rules/a.yaml", {"format": "1"}, ""
    lists: list[SourceFile] = []
    pairs = _pairs(snippets)
    for number, (key, value) in enumerate(pairs):
        if key.startswith("lists/"):
            lists.append(SourceFile(f"rules/{key}", b"LINE\n"))
        elif key.startswith("rules/"):
            name = key
        elif "---" in key:
            below += f"{key}\n"
        elif key in _FILE_KEYS:
            top[key] = value
        elif key in dict(pairs[:number]):  # a key that is written twice
            below += f"    {key}: {value}\n"
        else:
            rule_keys[key] = value
    body = "".join(f"{key}: {value}\n" for key, value in top.items()) + "rules:\n  -\n"
    body += "".join(f"    {key}: {value}\n" for key, value in rule_keys.items())
    return [POLICY, SourceFile(name, (body + below).encode()), *lists]


def _domains(snippets: Sequence[str]) -> bytes:
    keys, name = dict(_DOMAIN), "contact_exchange"
    for key, value in _pairs(snippets):
        if not value and key != "budget":
            name = key
        else:
            keys[key] = value
    return f"format: 1\ndomains:\n  {name}:\n".encode() + b"".join(
        f"    {key}: {value}\n".encode() for key, value in keys.items()
    )


def _pairs(snippets: Iterable[str]) -> list[tuple[str, str]]:
    split = (snippet.partition(":") for snippet in snippets)
    return [(key.strip(), value.strip()) for key, _, value in split]


def _codes(issues: Iterable[Issue]) -> set[str]:
    return {issue.code for issue in issues}


def _checked(*files: SourceFile) -> set[str]:
    return _codes(check(files, now_us=_NOW_US).issues)


def _raw(content: str | bytes, name: str = "rules/a.yaml") -> set[str]:
    return _checked(POLICY, SourceFile(name, content.encode() if isinstance(content, str) else content))


def _list(content: str) -> set[str]:
    return _checked(POLICY, file(rule()), SourceFile("rules/lists/apps.txt", content.encode()))


def _rules(number: int) -> str:
    return "".join(rule(f"contact.r{index}", f"word{index}", mode="off") for index in range(number))


def _started(directory: Path) -> set[str]:
    async def start() -> set[str]:
        live = LiveRulebook(directory, poll_s=60, settle_s=0.01)
        try:
            await live.start()
        except RulebookRefused as refused:
            return _codes(refused.issues)
        await live.stop()
        return set()

    return asyncio.run(start())


def _shrunk(kept: int) -> set[str]:
    texts = [rule(f"contact.r{index}", f"word{index}") for index in range(10)]
    before, after = [POLICY, file(*texts)], [POLICY, file(*texts[:kept], rule("contact.new", "Viber"))]
    found = suspicious_shrink(
        snapshot(before), check(before, now_us=0).rules, snapshot(after), check(after, now_us=0).rules
    )
    return _codes([found] if found else [])


def _in_child(*, timeout_s: float = 60, memory_bytes: int = 1 << 30) -> set[str]:
    words = ", ".join(f"{number:06d}ライン" for number in range(19_000))
    files = [POLICY, file(rule(word=words, sample="000000ライン"))]
    return _codes(asyncio.run(check_in_child(files, timeout_s=timeout_s, memory_bytes=memory_bytes)).issues)


def _eager(word: str) -> set[str]:
    benign = [BenignText("message", (("text", "交換は可能ですか" if n < 3 else "ok"),)) for n in range(100)]
    return _codes(check([POLICY, file(rule(word=word))], now_us=_NOW_US, benign=benign).issues)


_BIG = "format: 1\n# " + "x" * (1 << 20) + "\nrules:\n" + rule()
_MANY = "format: 1\nlists: {a: [" + "a, " * 200_001 + "a]}\nrules:\n" + rule()
_DEEP = "format: 1\nrules: " + "[" * 30 + "]" * 30
_GOOD = "format: 1\nrules:\n" + rule()
_ERRORS = "format: 1\nrules:\n" + "  - x\n" * 300
#: Rows that describe a file in words: what it is, and the same cured.
_IN_WORDS: dict[str, tuple[Callable[[Path], set[str]], Callable[[Path], set[str]]]] = {
    "yaml.not-utf8": (lambda _: _raw(_GOOD.replace("LINE", "ライン").encode("cp932")), lambda _: _raw(_GOOD.replace("LINE", "ライン"))),
    "yaml.forbidden-character": (lambda _: _raw(_GOOD.replace("LINE", "LI\u202eNE")), lambda _: _raw(_GOOD)),
    "yaml.too-large": (lambda _: _raw(_BIG), lambda _: _checked(POLICY, file(rule()), file(rule("contact.b", "Viber"), name="rules/b.yaml"))),
    "yaml.too-deep": (lambda _: _raw(_DEEP), lambda _: _raw(_GOOD)),
    "yaml.too-many-values": (lambda _: _raw(_MANY), lambda _: _list("".join(f"word{n}\n" for n in range(19_000)))),
    "files.unreadable": (lambda path: _started(path / "away"), _started),
    "list.empty": (lambda _: _list("# nothing\n"), lambda _: _list("# one\nViber\n")),
    "list.long-entry": (lambda _: _list("x" * 201), lambda _: _list("x" * 200)),
    "list.too-many": (
        lambda _: _list("".join(f"word{n}\n" for n in range(20_001))),
        lambda _: _list("".join(f"word{n}\n" for n in range(20_000))),
    ),
    "policy.missing": (lambda _: _checked(file(rule())), lambda _: _checked(POLICY, file(rule()))),
    "check.more": (lambda _: _raw(_ERRORS), lambda _: _raw(_GOOD)),
    "check.timeout": (lambda _: _in_child(timeout_s=0.001), lambda _: _in_child()),
    "check.died": (lambda _: _in_child(memory_bytes=40 << 20), lambda _: _in_child()),
    "rules.shrunk": (lambda _: _shrunk(7), lambda _: _shrunk(10)),
    "rule.missing-key": (lambda _: _raw(_GOOD.replace("id: contact.line, ", "")), lambda _: _raw(_GOOD)),
    "rule.too-many": (
        lambda _: _raw("format: 1\nrules:\n" + _rules(5001)),
        lambda _: _raw("format: 1\nrules:\n" + _rules(5000)),
    ),
    "policy.missing-key": (
        lambda _: _checked(SourceFile("rules/domains.yaml", DOMAINS.replace(b"title: x, ", b""))),
        lambda _: _checked(POLICY),
    ),
    "policy.length": (
        lambda _: _checked(SourceFile("rules/domains.yaml", DOMAINS.replace(b"title: x", b"title: " + b"x" * 300))),
        lambda _: _checked(POLICY),
    ),
    "rule.repeated-id": (
        lambda _: _checked(POLICY, file(rule()), file(rule(), name="rules/b.yaml")),
        lambda _: _checked(POLICY, file(rule()), file(rule("contact.b", "Viber"), name="rules/b.yaml")),
    ),
    "rule.eager": (lambda _: _eager("交換"), lambda _: _eager("LINE交換")),
}  # fmt: skip


@pytest.mark.parametrize("row", _ROWS, ids=[f"{row.code}-{number}" for number, row in enumerate(_ROWS)])
def test_the_example_is_refused_and_its_cure_is_not(row: Row, tmp_path: Path) -> None:
    (tmp_path / "domains.yaml").write_bytes(DOMAINS)
    (tmp_path / "a.yaml").write_text(_GOOD, "utf-8")
    refused, instead = _snippets(row.refused), _snippets(row.instead)
    if refused:
        assert instead, "a cure of words for an example in code"
        assert row.code in _checked(*_files(row.section, refused))
        assert _checked(*_files(row.section, instead)) == set()
        return
    bad, cured = _IN_WORDS[row.code]
    assert row.code in bad(tmp_path)
    assert cured(tmp_path) == set()


def test_what_is_described_in_words_is_all_there_is() -> None:
    assert len(_ROWS) > 60
    assert _IN_WORDS.keys() == {row.code for row in _ROWS if not _snippets(row.refused)}


@pytest.mark.parametrize("written", [r"\u202e", r"\x1b[2J", r"\u2028", r"\0"])
def test_an_escape_hides_no_control_character(written: str) -> None:
    """A bidi override or a terminal's escape sequence, which messages and logs would repeat."""
    assert _raw(_GOOD.replace("description: x", f'description: "a{written}b"')) == {
        "yaml.forbidden-character"
    }
