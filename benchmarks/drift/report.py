"""The page of the drift validation (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from benchmarks.recording import provenance


def page(result: Mapping[str, Any]) -> str:
    """docs/results/drift.md."""
    lines = [
        "# Drift: what is found and what is not",
        "",
        *provenance("drift", "benchmarks.drift", result),
        "",
        f"Generated traffic, {result['per_day']:,} messages a day, scored by the shipped models. The reference is "
        f"{result['days']} days; what is named below takes the place of the next day. Written is the worst level of "
        "each column, and where it comes from.",
        "",
        "| the day | scores | psi | ks | highest | inputs | unknown words |",
        "|---|---|---|---|---|---|---|",
        *(_row(scenario) for scenario in result["scenarios"]),
        "",
        "`psi`, `ks` and `highest` (how many times as many, or as few) are the largest of the domains'. Messages of other "
        "corpora have no status of a transaction, so that this fact drifts at once.",
        "",
        "## Without any shift",
        "",
        f"Whole conversations of the same traffic, drawn at random {result['draws']} times, against the others: how "
        "often a comparison said watch or drifted.",
        "",
        "| messages in the day | comparisons | by levels alone | beyond chance, too | beyond what is usual, too | of these |",
        "|---|---|---|---|---|---|",
        *(_false(row) for row in result["false"]),
    ]
    return "\n".join(lines) + "\n"


def _false(row: Mapping[str, Any]) -> str:
    signs = dict(row["signs"])
    counts = [signs.pop(name, 0) for name in ("levels alone", "beyond chance", "beyond the usual")]
    by_measure = ", ".join(f"{name} {count}" for name, count in sorted(signs.items())) or "-"
    return f"| {row['messages']:,} | {row['comparisons']:,} | {' | '.join(map(str, counts))} | {by_measure} |"


_LEVELS = ("too few", "steady", "watch", "drifted")


def _row(scenario: Mapping[str, Any]) -> str:
    scores = [series for series in scenario["series"] if series["of"] == "scores"]
    inputs = [series for series in scenario["series"] if series["of"] == "inputs"]
    words = max(scenario["words"], key=lambda word: word["now"] - word["before"])
    largest = {
        name: max((series[name]["value"] for series in scores if name in series), default=0.0)
        for name in ("psi", "ks", "top")
    }
    return (
        f"| {scenario['name']} | {_worst(scores)} | {largest['psi']:.3f} | {largest['ks']:.3f} "
        f"| {math.exp(largest['top']):.2f} | {_worst(inputs)} "
        f"| {words['level']}: {words['before']:.1%} → {words['now']:.1%} |"
    )


def _worst(series: list[Mapping[str, Any]]) -> str:
    worst = max((each["level"] for each in series), key=_LEVELS.index)
    if worst in ("too few", "steady"):
        return worst
    return f"{worst}: {', '.join(each['name'] for each in series if each['level'] == worst)}"
