"""No rule file, however mangled, raises; and what is read without an error compiles and runs."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.diagnostics import errors
from streams.rule_engine import RuleSet
from streams.rule_engine.reading import read_rule_file
from streams.rule_engine.samples import run_sample
from streams.strict_yaml import load
from tests.unit.rule_engine.test_reading import _DOMAINS, _FULL

_ODD = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1.5, 10**14, "", " ", "x", "ー", "\ud7ff", "[", "(?=x)", "\\", "[[:alpha:]]ab", "2026-11-01", {}, [], [[]], {"a": 1}, ["LINE", "line"]]),
    st.sampled_from([{"any": ["LINE"]}, {"none": ["LINE"]}, {"regex": "a[0-9]"}, {"all": [{"any": ["LINE"]}, "ライン"]}, "message", "listing", "fold"]),
    st.text(max_size=4).filter(lambda text: text.isprintable()),
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a tree."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


def _mangled(tree: Any, path: tuple[Any, ...], odd: Any, *, rename: bool) -> Any:
    if not path:
        return odd
    tree = copy.deepcopy(tree)
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    if rename and isinstance(parent, dict) and isinstance(odd, str):
        parent[odd] = parent.pop(path[-1])
    else:
        parent[path[-1]] = odd
    return tree


_document, _ = load(_FULL.encode(), "f.yaml")
assert _document is not None
_TREE = _document.root


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mangled_files(data: st.DataObject) -> None:
    tree = _TREE
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_places(tree)))
        tree = _mangled(tree, path, data.draw(_ODD), rename=data.draw(st.booleans()))
    _reads_or_says_why(json.dumps(tree, ensure_ascii=False).encode())


def _reads_or_says_why(content: bytes) -> None:
    read, issues = read_rule_file(content, "f.yaml", _DOMAINS, now_us=0)
    for issue in issues:
        assert issue.line >= 1
        assert issue.column >= 1
        assert issue.render()
    if errors(issues):
        return
    rules = RuleSet(found.rule for found in {one.rule.id: one for one in read}.values())
    for found in read:
        if found.rule.mode == "off":
            continue
        for sample in found.samples:
            outcome = run_sample(rules, found.rule, sample)
            assert outcome.headline()
            assert outcome.shown() is not None


#: What YAML and the language take for more than letters, beside what they refuse.
_SNIPPETS = st.sampled_from(
    [
        *[":", "-", "?", ",", "[", "]", "{", "}", "#", "&", "*", "!", "|", ">", "'", '"', "%", "@", "`", "~", "\n", "\t", "\r", "\\", "."],
        *("\n  ", ": ", "- ", "''", "&a", "*a", "<<: *a", "!!python/object:x", "--- ", "...", "|\n", ">-\n", "? "),
        *(".nan", "null", "0x1f", "1e999", "2026-13-40", "\ufeff", "\u202e", "\x00", "\x85", "\u2028", "\U0010ffff"),
        *("any:", "all:", "regex: '('", "match:", "rules:", "tests:", "id: a.b", "list: apps", "view: squeeze"),
        *("within: -1", "messages: 99", "format: 2", "ー", "ﷺ"),
    ]
)  # fmt: skip


@st.composite
def _edited(draw: st.DrawFn) -> bytes:
    """The text of a good file after some cuts, repetitions and insertions, with some bytes that are no UTF-8."""
    text = _FULL
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        to = min(len(text), at + draw(st.sampled_from([0, 0, 1, 3, 40, 400])))
        put = draw(st.one_of(_SNIPPETS, st.just(text[at:to] * 2), st.text(max_size=3)))
        text = text[:at] + put + text[to:]
    content = text.encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(content)))
    broken = draw(st.sampled_from([b"", b"", b"", b"\xff", b"\x83\x89", b"\xed\xa0\x80"]))
    return content[:at] + broken + content[at:]


@settings(max_examples=300, deadline=None)
@given(_edited())
def test_edited_text(content: bytes) -> None:
    _reads_or_says_why(content)


_any_bytes = st.one_of(
    st.binary(max_size=60), st.lists(_SNIPPETS, max_size=30).map(lambda some: "".join(some).encode())
)


@settings(max_examples=200, deadline=None)
@given(_any_bytes)
def test_anything_at_all(content: bytes) -> None:
    _reads_or_says_why(content)
