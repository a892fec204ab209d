"""What the published contract says of a record, read without the engine: JSON Schema and Python's own JSON parser.

Three things the contract leaves open, and the oracle with it: how deep a record may be nested, numbers that no double
holds, and which of several reasons a dead letter gives when more than one holds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator, ValidationError

from tests.faults.fuzz.mutator import IDS
from tests.faults.fuzz.record_mutators import MAX_RECORD_BYTES
from tests.faults.fuzz.specimens import Specimen

DOCS: Final = Path(__file__).parents[3] / "docs"
KEYS: Final = {"messages": "transaction_id", "listings": "listing_id", "decisions": "alert_id"}
#: Where a report says what it is about, with the key of that.
REPORTED: Final = ("listing", "message", "subject")
#: Python's parser goes some 1000 deep, the engine's as deep or less; up to this depth both must read.
CERTAIN_DEPTH: Final = 250
#: A double holds 308 digits; Python refuses to read integers of more than 4300.
CERTAIN_DIGITS: Final = 300
_LONE: Final = re.compile("[\ud800-\udfff]")
_REASON_OF: Final = {
    "required": {"missing_field"},
    "type": {"wrong_type"},
    "anyOf": {"wrong_type"},
    "oneOf": {"missing_field", "bad_value"},
    "enum": {"bad_value", "wrong_type"},
    "minLength": {"bad_value"},
    "maxLength": {"bad_value"},
    "maxItems": {"bad_value"},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """`usable` None: the contract does not say. `reasons` are those that a dead letter of the record may give.

    `ident` is the id of a usable event, `notes` what a prediction of it must note of its key and its letters.
    """

    usable: bool | None
    reasons: frozenset[str] = frozenset()
    ident: str | None = None
    notes: frozenset[str] = frozenset()


#: Notes that the oracle can tell; others are about times and pictures.
TOLD_NOTES: Final = frozenset({"key_missing", "key_mismatch", "lone_surrogate"})


def documented_reasons() -> frozenset[str]:
    """The reasons in the table of dead letters in docs/contracts.md."""
    page = (DOCS / "contracts.md").read_text(encoding="utf-8")
    table = page.partition("| reason | meaning |")[2].partition("\n\n")[0]
    return frozenset(
        name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])
    )


def reading(specimen: Specimen) -> Reading:
    """What must become of a record of an input topic."""
    headers = specimen.headers
    value = specimen.value or b""
    size = (
        len(value)
        + len(specimen.key or b"")
        + sum(len(name) + len(content or b"") for name, content in headers)
    )
    if size > MAX_RECORD_BYTES:
        return _refused("too_large")
    if any(name == b"sekisho.format" and content != b"1" for name, content in headers):
        return _refused("unknown_version")
    if not value:
        return _refused("empty")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return _refused("not_utf8", "not_json")  # what comes first in the record
    open_ends: list[str] = []
    try:
        body = json.loads(
            text, parse_constant=_no_constant, parse_float=_float(open_ends), parse_int=_int(open_ends)
        )
    except RecursionError:
        return Reading(None, frozenset({"not_json"}))
    except ValueError:
        return _refused("not_json")
    if open_ends or _depth(text) > CERTAIN_DEPTH:
        return Reading(None, frozenset({"not_json", *_REASON_OF["type"], "missing_field", "bad_value"}))
    if not isinstance(body, dict):
        return _refused("wrong_type")
    return _judged(specimen, body, has_lone_surrogate=_has_lone_surrogate(text))


def _judged(specimen: Specimen, body: dict[str, Any], *, has_lone_surrogate: bool) -> Reading:
    body = _without_nulls(body)
    if specimen.topic == "reports":
        body = _without_inner_nulls(body)
    reasons = _reasons(_validator(specimen.topic).iter_errors(body))
    if not reasons and specimen.topic == "reports":
        reasons = _wrong_about(body)
    if reasons:
        return _refused(*reasons)
    ident = _LONE.sub("\ufffd", body[IDS[specimen.topic]])
    key = _LONE.sub("\ufffd", _key(specimen.topic, body)).encode()
    notes = set()
    if not specimen.key:
        notes.add("key_missing")
    elif specimen.key != key:
        notes.add("key_mismatch")
    if has_lone_surrogate:
        notes.add("lone_surrogate")
    return Reading(True, ident=ident, notes=frozenset(notes))


def _reasons(errors: Iterable[ValidationError]) -> set[str]:
    return {
        reason
        for error in errors
        for reason in (*_REASON_OF[error.validator], *_reasons(error.context or ()))
    }


def _key(topic: str, body: dict[str, Any]) -> str:
    if topic != "reports":
        return str(body[KEYS[topic]])
    (about,) = (body[name] for name in REPORTED if name in body)
    return str(about.get("transaction_id", about.get("listing_id")))


def _wrong_about(report: dict[str, Any]) -> set[str]:
    """What no schema can say of a report: that its conversation is one, and its domain one for what is reported."""
    reasons = set()
    key = _key("reports", report)
    if any(earlier["transaction_id"] != key for earlier in report.get("conversation", ())):
        reasons.add("bad_value")
    applies_to = _domains().get(report["domain"])
    if applies_to is None:
        reasons.add("unknown_domain")
    elif applies_to != report.get("subject", {}).get("type", "message" if "message" in report else "listing"):
        reasons.add("bad_value")
    return reasons


@cache
def _domains() -> dict[str, str]:
    """The shipped domains and the kind of event that each is about."""
    policy = yaml.safe_load((DOCS.parent / "rules" / "domains.yaml").read_text(encoding="utf-8"))
    return {name: domain["applies_to"] for name, domain in policy["domains"].items()}


def _refused(*reasons: str) -> Reading:
    return Reading(False, frozenset(reasons))


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """`null` stands for "not known" (docs/contracts.md)."""
    attributes = body.get("attributes")
    if isinstance(attributes, dict):
        body = {
            **body,
            "attributes": {name: value for name, value in attributes.items() if value is not None},
        }
    return {name: value for name, value in body.items() if value is not None}


def _without_inner_nulls(report: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = {
        name: _without_nulls(report[name]) for name in REPORTED if isinstance(report.get(name), dict)
    }
    conversation = report.get("conversation")
    if isinstance(conversation, list):
        inner["conversation"] = [_without_nulls(m) if isinstance(m, dict) else m for m in conversation]
    return {**report, **inner}


@cache
def _validator(topic: str) -> Draft202012Validator:
    schema = json.loads(
        (DOCS / "schemas" / f"{topic.removesuffix('s')}.schema.json").read_text(encoding="utf-8")
    )
    name = schema["$ref"].rpartition("/")[2]
    # The definition itself: following `$ref` from the root costs more than the rest.
    return Draft202012Validator({"$defs": schema["$defs"], **schema["$defs"][name]})


def _has_lone_surrogate(text: str) -> bool:
    r"""In any string, those of members that a later one of the same name replaces included."""
    if "\\u" not in text:
        return False
    strings: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> None:
        for name, value in members:
            strings.extend((name, *_strings(value)))

    whole = json.loads(text, object_pairs_hook=pairs)
    return any(_LONE.search(string) for string in (*strings, *_strings(whole)))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [string for item in value for string in _strings(item)] if isinstance(value, list) else []


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= CERTAIN_DEPTH:
        return 0
    deepest = depth = 0
    for bracket in re.findall(r'[\[\]{}]|"(?:[^"\\]|\\.)*"', text, re.DOTALL):
        depth += (bracket in "[{") - (bracket in "]}")
        deepest = max(deepest, depth)
    return deepest


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _float(open_ends: list[str]) -> Any:
    def parsed(written: str) -> float:
        number = float(written)
        if not math.isfinite(number):
            open_ends.append(written[:20])
        return number

    return parsed


def _int(open_ends: list[str]) -> Any:
    def parsed(written: str) -> int:
        if len(written) > CERTAIN_DIGITS:
            open_ends.append(written[:20])
            return 0
        return int(written)

    return parsed
