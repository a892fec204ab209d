"""Strict YAML: what is read, what is refused and where, and that nothing hangs or kills the process."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.strict_yaml import MAX_BYTES, MAX_VALUES, load


def _root(text: str) -> object:
    document, issues = load(text.encode(), "f.yaml")
    assert issues == []
    assert document is not None
    return document.root


def _refusal(data: bytes) -> str:
    document, issues = load(data, "f.yaml")
    assert document is None
    return "\n".join(issue.render() for issue in issues)


def test_scalars_are_not_guessed() -> None:
    text = "[1, -2, 1.5, true, null, ~, '', '1', no, on, 12:30, 2026-11-01, 08012345678, 0x1f, 1_000, 1e5, .inf, yes]"
    assert _root(text) == [
        1, -2, 1.5, True, None, None, "", "1", "no", "on", "12:30", "2026-11-01", "08012345678", "0x1f", "1_000", "1e5", ".inf", "yes",
    ]  # fmt: skip


def test_numbers_too_long_to_be_exact_stay_text() -> None:
    assert _root("[123456789012345, 1234567890123456]") == [123456789012345, "1234567890123456"]
    assert isinstance(_root(f"a: {'9' * 5000}"), dict)


def test_keys_are_text() -> None:
    assert _root("1: a\ntrue: b\n") == {"1": "a", "true": "b"}


def test_places() -> None:
    document, _ = load("﻿a: 1\nあい:\n  - x\n  - {b: 2}\n".encode(), "f.yaml")
    assert document is not None
    assert document.place(("a",)) == (1, 4)
    assert document.key_places["あい",] == (2, 1)
    assert document.place(("あい", 1)) == (4, 5)
    assert document.place(("あい", 1, "b")) == (4, 9)
    assert document.place(("あい", 1, "nowhere")) == (4, 5)


def test_empty_file_is_nothing() -> None:
    document, issues = load(b"# only a comment\n", "f.yaml")
    assert document is not None
    assert document.root is None
    assert issues == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"a: 1\nb:\n  c: 2\na: 3\n",
            'f.yaml:4:1: yaml.duplicate-key: key "a" appears twice in the same mapping (first at line 1)',
        ),
        (b"a: &x 1\n", "f.yaml:1:4: yaml.anchor: YAML anchor &x"),
        (b"- 1\n- *x\n", "f.yaml:2:3: yaml.alias: YAML alias *x"),
        (b"a: !!python/object/apply:os.system [ls]\n", "f.yaml:1:4: yaml.tag"),
        (b"a: b: c\n", 'f.yaml:1:5: yaml.syntax: not valid YAML: a ":" inside a text'),
        (b"a: 'x\n", "yaml.syntax"),
        (
            b"a:\n\t- x\n",
            "f.yaml:2:1: yaml.syntax: not valid YAML: a tab at the start of the line",
        ),
        (b"a: 1\n---\nb: 2\n", "f.yaml:2:1: yaml.documents"),
        (b"? [a]\n: b\n", "f.yaml:1:3: yaml.key"),
        (
            "x: 1\ny: a\u202eb\n".encode(),
            "f.yaml:2:5: yaml.forbidden-character: forbidden invisible character U+202E",
        ),
        (b"a: \x07\n", "f.yaml:1:4: yaml.forbidden-character"),
        ("a: 1\nb: ライン\n".encode("cp932"), "f.yaml:2:4: yaml.not-utf8"),
        ("a: 1".encode("utf-16"), "f.yaml:1:1: yaml.not-utf8"),
        (b"a: " + b"x" * MAX_BYTES, "f.yaml:1:1: yaml.too-large"),
        (b"[1," * MAX_VALUES, "yaml.too-deep"),
        (b"- 1\n" * (MAX_VALUES + 1), f"yaml.too-many-values: more than {MAX_VALUES}"),
    ],
)
def test_refused_with_the_place(data: bytes, expected: str) -> None:
    assert expected in _refusal(data)


def test_duplicates_are_all_reported_and_not_inside_one_another() -> None:
    assert _refusal(b"a: {x: 1}\na: {x: 2}\nb: 1\nb: 2\n").count("duplicate-key") == 2


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 900_000,
        "{" * 900_000,
        "- " * 400_000,
        "? " * 400_000,
        ("[" * 900 + "#" + "]" * 900 + "\n") * 500,
    ],
)
def test_deep_nesting_ends_at_once(bomb: str) -> None:
    """The ordinary loaders need the stack for this and kill the process."""
    assert "yaml." in _refusal(bomb.encode())


def test_billion_laughs_is_refused() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]
    assert "yaml.anchor" in _refusal("\n".join(lines).encode())


@given(
    st.one_of(
        st.binary(max_size=80),
        st.text(alphabet="ab:-[]{}#&*!|>'\"%@`\n \t?,あ~01.", max_size=60).map(str.encode),
    )
)
def test_any_bytes_give_a_document_or_an_issue(data: bytes) -> None:
    document, issues = load(data, "f.yaml")
    assert (document is None) == bool(issues)
    for issue in issues:
        assert issue.line >= 1
        assert issue.column >= 1


_plain = st.one_of(
    st.integers(-(10**14), 10**14), st.booleans(), st.text(alphabet="abいろ 1:#-'", max_size=6)
)
_values = st.recursive(
    _plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_values)
def test_json_is_read_back(value: object) -> None:
    """JSON is YAML in which every text is quoted, so nothing may change its type or its letters."""
    assert _root(json.dumps(value, ensure_ascii=False)) == value
