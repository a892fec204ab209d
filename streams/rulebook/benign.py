"""Ordinary texts that hardly any rule should fire on: read from a file, and the warning for a rule that does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from streams.diagnostics import Issue
from streams.features.normal_form import encodable
from streams.rule_engine import RuleSet, ScannedTurn
from streams.rule_engine.reading import ReadRule
from streams.vocabulary import Kind

#: Of ordinary texts a rule may fire on so many; at 100,000 messages a day half a per cent is 500 false alerts.
MAX_BENIGN_SHARE = 0.005
#: Two hits in a handful of texts say nothing.
_MIN_HITS = 2


class BenignText(msgspec.Struct, frozen=True):
    """An ordinary message or listing: named texts as in `FIELDS`."""

    kind: Kind
    fields: tuple[tuple[str, str], ...]


def read_benign(path: Path) -> tuple[BenignText, ...]:
    """The texts of a file: an event or an example a line as JSON, or else a text a line (taken for both kinds)."""
    found: list[BenignText] = []
    for line in path.read_text("utf-8-sig", "replace").splitlines():
        if line.strip():
            found += _of_line(line)
    return tuple(
        BenignText(text.kind, tuple((name, encodable(value)) for name, value in text.fields))
        for text in found
    )


def too_eager(rules: RuleSet, read: Sequence[ReadRule], benign: Sequence[BenignText]) -> list[Issue]:
    """A warning for each rule that fires on more than 0.5 % of the texts of its kind, whatever `when` says."""
    hits: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for text in benign:
        scans = {name: rules.scan(value) for name, value in text.fields}
        for compiled in rules.candidates(text.kind, scans.values()):
            if text.kind == "message":
                fired = compiled.in_messages([ScannedTurn("m", "", next(iter(scans.values())))])
            else:
                fired = compiled.in_fields(scans)
            if fired:
                hits[compiled.rule.id] += 1
                examples.setdefault(compiled.rule.id, " / ".join(value for _, value in text.fields))
    of_kind = Counter(text.kind for text in benign)
    issues = []
    for found in read:
        number, seen = hits[found.rule.id], of_kind[found.rule.kind]
        if number < _MIN_HITS or number <= MAX_BENIGN_SHARE * seen:
            continue
        message = f"rule {found.rule.id}: fires on {number} of {seen} ordinary {found.rule.kind}s ({number / seen:.1%})"
        example = examples[found.rule.id]
        issues.append(
            Issue(
                "rule.eager", message, found.path, found.line, found.column,
                "narrow it, or keep it in shadow until a backtest shows what it finds", "warning",
                detail=f"e.g. {example[:100]}",
            )
        )  # fmt: skip
    return issues


def _of_line(line: str) -> list[BenignText]:
    if line.lstrip().startswith("{"):
        try:
            return _of_body(json.loads(line))
        except ValueError:
            pass  # a text that begins with a brace
    return [
        BenignText("message", (("text", line),)),
        BenignText("listing", (("title", line), ("description", ""))),
    ]


def _of_body(body: dict[str, object]) -> list[BenignText]:
    listing = body.get("listing") if isinstance(body.get("listing"), dict) else body
    assert isinstance(listing, dict)
    if isinstance(body.get("messages"), list):
        texts = [one.get("text") for one in body["messages"] if isinstance(one, dict)]  # type: ignore[attr-defined]
    else:
        texts = [body.get("text")]
    found = [BenignText("message", (("text", text),)) for text in texts if isinstance(text, str)]
    if isinstance(listing.get("title"), str):
        description = listing.get("description")
        fields = (
            ("title", str(listing["title"])),
            ("description", description if isinstance(description, str) else ""),
        )
        found.append(BenignText("listing", fields))
    return found
