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
    content = json.dumps(tree, ensure_ascii=False).encode()
    read, issues = read_rule_file(content, "f.yaml", _DOMAINS, now_us=0)
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
