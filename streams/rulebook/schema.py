"""The JSON Schema of rule files, for editors: made from what the reader knows, so that the two cannot drift apart.

`python -m streams.rulebook.schema rules/rule-file.schema.json` writes it. It tells what may stand where; what only the
reader can see (a word that vanishes, a test that fails) stays with `sekisho rules check`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from streams.events import STATUSES
from streams.rule_engine.reading.exceptions import EXCEPT_KEYS
from streams.rule_engine.reading.lists import MAX_WORD_CHARS, MAX_WORDS
from streams.rule_engine.reading.match import (
    DEFAULT_WITHIN,
    MATCH_KEYS,
    MAX_REGEX_CHARS,
    MAX_WITHIN,
    OPERATORS,
)
from streams.rule_engine.reading.rules import DEFAULT_KEYS, FORMAT, RULE_ID, RULE_KEYS
from streams.rule_engine.reading.samples import TEST_KEYS
from streams.rule_engine.reading.when import LIMITS, WRITERS
from streams.rule_engine.rule import (
    ATTRIBUTE_PREFIX,
    BOUNDARIES,
    FIELDS,
    METADATA,
    MODES,
    SCOPES,
    VIEWS,
    WINDOW_MESSAGES,
)
from streams.vocabulary import KINDS, SEVERITIES

Schema = dict[str, Any]


def rule_file_schema() -> Schema:
    """JSON Schema (draft 2020-12) of a rule file."""
    rule = _rule_properties()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sekisho rule file",
        "description": "See docs/rules.md",
        **_object(
            {
                "format": {"const": FORMAT},
                "defaults": _object({key: rule[key] for key in DEFAULT_KEYS}),
                "lists": {
                    "type": "object",
                    "additionalProperties": _texts("Words"),
                    "description": "Named word lists of this file; lists/*.txt are known too",
                },
                "rules": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}},
            },
            required=("format", "rules"),
        ),
        "$defs": {
            "rule": _object({key: rule[key] for key in RULE_KEYS}, required=("id", "description", "match")),
            "word": {"type": "string", "minLength": 1, "maxLength": MAX_WORD_CHARS},
            "list": _object({"list": {"type": "string"}}, required=("list",)),
            "words": {
                "anyOf": [
                    {"$ref": "#/$defs/list"},
                    {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_WORDS,
                        "items": {"anyOf": [{"$ref": "#/$defs/word"}, {"$ref": "#/$defs/list"}]},
                    },
                ]
            },
            "children": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"$ref": "#/$defs/word"}, {"$ref": "#/$defs/match"}]},
            },
            "match": _match(),
            "condition": _condition(),
            "sample": _sample(),
        },
    }


def _rule_properties() -> dict[str, Schema]:
    time = {"type": "string", "description": "With a zone: 2026-11-01T00:00:00+09:00"}
    known = [f"^{name}$" for kind in KINDS for name in METADATA[kind]]
    return {
        "id": {
            "type": "string",
            "pattern": "^" + RULE_ID.pattern.replace(r"\Z", "$"),
            "minLength": 3,
            "maxLength": 80,
            "description": "Unique over all files",
        },
        "description": {"type": "string", "minLength": 1, "maxLength": 2000},
        "domain": {"type": "string", "description": "A domain of domains.yaml"},
        "severity": {"enum": list(SEVERITIES), "description": "Default: the domain's"},
        "score": {"type": "integer", "minimum": 0, "maximum": 100, "default": 50},
        "mode": {"enum": list(MODES), "default": "shadow"},
        "applies_to": {
            "anyOf": [
                {"enum": list(KINDS)},
                _object(
                    {
                        "type": {"enum": list(KINDS)},
                        "fields": {"type": "array", "items": {"enum": [f for k in KINDS for f in FIELDS[k]]}},
                    },
                    required=("type",),
                ),
            ]
        },
        "match": {"$ref": "#/$defs/match"},
        "window": _object(
            {
                "messages": {"type": "integer", "minimum": 1, "maximum": WINDOW_MESSAGES},
                "scope": {"enum": list(SCOPES), "default": "last"},
                "same_writer": {"type": "boolean", "default": True},
            }
        ),
        "when": {
            "type": "object",
            "patternProperties": {
                key: {"$ref": "#/$defs/condition"}
                for key in [*known, f"^{ATTRIBUTE_PREFIX.replace('.', chr(92) + '.')}.+$"]
            },
            "additionalProperties": False,
        },
        "except": {
            **_object({key: _texts(key) for key in EXCEPT_KEYS}),
            "minProperties": 1,
        },
        "valid_from": time,
        "valid_until": time,
        "owner": {"type": "string", "maxLength": 200},
        "tags": _texts("For people"),
        "refs": _texts("Links to what the rule is about"),
        "tests": _object(
            {key: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/sample"}} for key in TEST_KEYS}
        ),
    }


def _match() -> Schema:
    words = {"$ref": "#/$defs/words"}
    operators: dict[str, Schema] = {
        "any": words | {"description": "One of the words"},
        "all": {"$ref": "#/$defs/children", "description": "Every item"},
        "regex": {"type": "string", "maxLength": MAX_REGEX_CHARS, "description": "RE2, on the chosen view"},
        "near": _object(
            {
                "a": words,
                "b": words,
                "within": {"type": "integer", "minimum": 0, "maximum": MAX_WITHIN, "default": DEFAULT_WITHIN},
            },
            required=("a", "b"),
        ),
        "count": _object(
            {
                "of": words,
                "at_least": {"type": "integer", "minimum": 1, "maximum": 50},
                "distinct": {"type": "boolean", "default": True},
            },
            required=("of", "at_least"),
        ),
        "list": {"type": "string", "description": "One of the words of a named list"},
    }
    properties = operators | {
        "none": {"$ref": "#/$defs/children", "description": "Nothing of this"},
        "view": {"enum": list(VIEWS), "default": "safe"},
        "boundary": {"enum": list(BOUNDARIES), "default": "none"},
        "field": {"enum": [field for kind in KINDS for field in FIELDS[kind]]},
    }
    return {
        **_object({key: properties[key] for key in MATCH_KEYS}),
        "oneOf": [{"required": [operator]} for operator in OPERATORS],
    }


def _condition() -> Schema:
    fact = {"type": ["string", "number", "boolean"]}
    facts = {"anyOf": [fact, {"type": "array", "minItems": 1, "items": fact}]}
    limits: dict[str, Schema] = {limit: {"type": "number"} for limit in LIMITS}
    return {"anyOf": [*facts["anyOf"], {**_object(limits | {"not_in": facts}), "minProperties": 1}]}


def _sample() -> Schema:
    text = {"type": "string"}
    turn = {
        "anyOf": [
            text,
            _object({"writer": {"enum": list(WRITERS)}, "text": text}, required=("writer", "text")),
        ]
    }
    properties: dict[str, Schema] = {
        "text": text,
        "messages": {"type": "array", "minItems": 1, "maxItems": WINDOW_MESSAGES, "items": turn},
        **dict.fromkeys(FIELDS["listing"], text),
        "at": text,
        **{name: {} for kind in KINDS for name in METADATA[kind]},
        "status": {"type": "string", "examples": list(STATUSES)},
    }
    return {
        "anyOf": [
            text,
            _object(properties) | {"patternProperties": {"^attributes\\..+$": {}}},
        ]
    }


def _object(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def _texts(description: str) -> Schema:
    return {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": description}


def as_json() -> str:
    """The schema as the file holds it."""
    return json.dumps(rule_file_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_json(), "utf-8")
