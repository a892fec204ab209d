"""The JSON Schema for editors: the committed file is the generated one, and it agrees with the reader."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from streams.rulebook.schema import as_json, rule_file_schema
from streams.strict_yaml import load
from tests.unit.rule_engine.test_reading import _FULL

_RULES = Path(__file__).parents[2] / "rules"
_FILES = [path for path in sorted(_RULES.glob("*.yaml")) if path.name != "domains.yaml"]
_VALIDATOR = jsonschema.Draft202012Validator(rule_file_schema())


def _root(data: bytes) -> Any:
    document, issues = load(data, "f.yaml")
    assert document is not None, issues
    return document.root


def test_the_committed_file_is_the_generated_one() -> None:
    assert (_RULES / "rule-file.schema.json").read_text("utf-8") == as_json()
    jsonschema.Draft202012Validator.check_schema(json.loads(as_json()))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_shipped_files_name_it_and_keep_to_it(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=rule-file.schema.json\n")
    _VALIDATOR.validate(_root(path.read_bytes()))


def test_everything_the_reader_takes_is_allowed() -> None:
    _VALIDATOR.validate(_root(_FULL.encode()))


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("rules", 0, "mode"), "actve"),
        (("rules", 0, "severty"), "high"),
        (("rules", 0, "match"), {"none": ["x"]}),
        (("rules", 0, "match"), {"any": ["x"], "regex": "x"}),
        (("rules", 0, "match", "view"), "folded"),
        (("rules", 0, "window", "messages"), 6),
        (("rules", 0, "when", "stauts"), "shipped"),
        (("rules", 0, "except"), {"people": ["x"]}),
        (("rules", 0, "tests", "should_match", 0), 5),
        (("rules", 0, "score"), 101),
        (("rules", 0, "id"), "Pay.Bad"),
        (("format",), 2),
    ],
)  # fmt: skip
def test_mistakes_are_seen_in_the_editor(path: tuple[str | int, ...], wrong: object) -> None:
    tree = copy.deepcopy(_root(_FULL.encode()))
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = wrong
    assert not _VALIDATOR.is_valid(tree)
