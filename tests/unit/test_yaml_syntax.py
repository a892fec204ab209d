"""Mistakes that people make in YAML, and what they are told: where to look and what to do, in words of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.strict_yaml import load

GOOD = """\
rules:
  - id: contact.line
    description: x
    match: {any: [LINE]}
"""
#: What stands in the file instead of what.
MISTAKES = [
    ("a tab", "    description", "\tdescription"),
    ("a full-width space", "    description", "　　description"),
    ("a full-width colon", "description: x", "description：x"),
    ("no space after the colon", "description: x", "description:x"),
    ("no space after the dash", "- id", "-id"),
    ("less indented", "    description", "   description"),
    ("more indented", "    description", "      description"),
    ("a colon in a text", "description: x", "description: 支払い: 直接"),
    ("an open bracket", "[LINE]", "[LINE"),
    ("an open brace", "[LINE]}", "[LINE]"),
    ("an open quote", "[LINE]", "['LINE]"),
    ("an apostrophe", "[LINE]", "['don't pay here']"),
    ("a # in a list", "[LINE]", "[#line]"),
    ("an @ at the start", "[LINE]", "[@line]"),
    ("a % at the start", "description: x", "description: %off"),
    ("a * at the start", "[LINE]", "[*LINE*]"),
    ("a ! at the start", "[LINE]", "[!!LINE!]"),
    ("a pattern in double quotes", "[LINE]", r'["\d+円"]'),
    ("a text block that is not indented", "description: x", "description: |\nx"),
    ("a closing bracket too much", "[LINE]", "[LINE]]"),
    ("two values", "description: x", "description: 'x' y"),
]


def test_mistakes() -> None:
    told = []
    for name, good, bad in MISTAKES:
        document, issues = load(GOOD.replace(good, bad, 1).encode(), "f.yaml")
        assert document is None, name
        told += [f"{name}\n    {issue.render()}\n" for issue in issues]
    approved = Path(__file__).with_name("test_yaml_syntax.approved.txt")
    assert "\n".join(told) == approved.read_text("utf-8")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"%PDF-1.7", b"\xd0\xcf\x11\xe0"])
def test_a_document_of_another_program(start: bytes) -> None:
    _, (issue,) = load(start + b"...", "f.yaml")
    assert (
        issue.render() == "f.yaml:1:1: yaml.not-utf8: this is no text file  (save it as plain text, in UTF-8)"
    )
