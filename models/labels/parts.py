"""Examples in three parts, each later than the one before, and what each of them holds (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from models.data.examples import PARTS, Part
from models.data.facts import facts_of
from models.data.splits import Split, split_by_time
from models.labels.examples import Example
from models.labels.joining import Kind

Parts = Mapping[Part, Sequence[Example]]


def in_parts(examples: Sequence[Example], kind: Kind, split: Split) -> Parts:
    """The examples by part, cut by `split_by_time`: a transaction or listing stays whole. Raises `ExampleError`."""
    found: dict[Part, list[Example]] = {}
    for example, part in zip(examples, split_by_time(list(facts_of(examples, kind)), split), strict=True):
        found.setdefault(part, []).append(example)
    return {part: found[part] for part in PARTS if part in found}


def composition(parts: Parts, domains: Sequence[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Examples by domain, part and what they are.

    `violation` and `hard_negative` (an alert that was none) were decided on alerts, `patrol_violation` and
    `patrol_negative` on patrolled events; `easy_negative` nobody has judged; `unknown` have no label for the domain.
    """
    found: dict[str, dict[str, dict[str, int]]] = {}
    for domain in domains:
        found[domain] = {
            part: dict(sorted(Counter(_what(example, domain) for example in examples).items()))
            for part, examples in parts.items()
        }
    return found


def obstacles(parts: Parts, domains: Sequence[str]) -> list[str]:
    """What each domain lacks in which parts, so that `sekisho train` would refuse it; nothing for a complete one."""
    sentences: list[str] = []
    for domain in domains:
        for value, name in ((1, "violation"), (0, "negative")):
            lacking = [
                part
                for part, examples in parts.items()
                if value not in {example["labels"].get(domain) for example in examples}
            ]
            if lacking:
                sentences.append(f"{domain}: no {name} in {', '.join(lacking)}")
    return sentences


def _what(example: Mapping[str, Any], domain: str) -> str:
    label, source = example["labels"].get(domain), example["label_sources"].get(domain)
    if label is None:
        return "unknown"
    if source == "unflagged":
        return "easy_negative"
    if source == "patrol":
        return "patrol_violation" if label else "patrol_negative"
    return "violation" if label else "hard_negative"
