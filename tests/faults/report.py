"""The result of a campaign as a table for people and as JSON for programs, with what is needed to run it again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from tests.faults.campaign import Outcome
from tests.faults.journal import entries
from tests.faults.recovery import Injected, by_kind, recoveries

_PACKAGES = (
    "sekisho",
    "faust-streaming",
    "aiokafka",
    "nvidia-pytriton",
    "onnxruntime",
    "rocksdict",
    "tritonclient",
)


def result(outcome: Outcome) -> dict[str, Any]:
    """Everything about a campaign, ready for JSON."""
    plan, verdict = outcome.plan, outcome.verdict
    journal = plan.work_dir / "journal.jsonl"
    faults = [Injected.of(entry) for entry in entries(journal, "fault")]
    found = recoveries(faults, entries(journal, "sample"), rate=plan.rate)
    return {
        "passed": verdict.ok,
        "began_at": outcome.began_at.isoformat(timespec="seconds"),
        "plan": {
            "events": plan.events, "rate": plan.rate, "faults": plan.faults, "seed": plan.seed,
            "workers": plan.workers, "brokers": plan.brokers,
        },
        "load_s": round(outcome.load_s, 1),
        "counts": dict(sorted(verdict.counts.items())),
        "complaints": dict(sorted(verdict.complaints.items())),
        "examples": verdict.examples,
        "measured": {
            **verdict.measured,
            "peak memory of a worker, MiB": round(outcome.peak_worker_rss_bytes / 2**20),
            "records whose sending failed and was repeated": outcome.sent_again,
        },
        "kinds": by_kind(found),
        "skipped": [{"kind": f.kind, "why": f.outcome} for f in faults if f.skipped],
        "faults": [
            {
                "number": r.fault.number, "kind": r.fault.kind, "lasted_s": round(r.fault.lifted_s - r.fault.began_s, 1),
                "recovered_s": r.took_s, "alone": r.alone, "outcome": r.fault.outcome,
            }
            for r in found
        ],
        "worker_exits": dict(_exits(journal)),
        "exit_codes_of_the_last_stop": outcome.exit_codes,
        "versions": versions(),
        "machine": machine(),
    }  # fmt: skip


def markdown(found: Mapping[str, Any]) -> str:
    """The page for docs/results."""
    plan = found["plan"]
    verdict = "**Nothing was lost and every promise held.**" if found["passed"] else "**NOT PASSED**"
    lines = [
        f"# Fault campaign of {found['began_at'][:10]}",
        "",
        f"{verdict} {found['counts'].get('records produced', 0):,} records, {len(found['faults'])} faults, "
        f"{plan['workers']} workers, {plan['brokers']} brokers, {plan['rate']:g} events/s, seed {plan['seed']}, "
        f"load for {found['load_s']:,.0f} s.",
        "",
        f"Again: `python -m tests.faults --events {plan['events']} --rate {plan['rate']:g} --faults {plan['faults']} "
        f"--seed {plan['seed']} --workers {plan['workers']} --brokers {plan['brokers']}`",
        "",
        "Faults of different parts overlap. Recovery is from a fault's beginning until no more than three seconds of "
        "traffic were uncommitted for five seconds; it includes the time that the fault itself lasted. 0 means that "
        "lag never left that range. *Alone* counts the faults in whose time no other one fell.",
        "",
        "| fault | times | alone | recovery p50 s | max s |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {kind} | {row['faults']} | {row['alone']} | {_shown(row['p50_s'])} | "
        f"{_shown(row['max_s'])}{_never(row['not recovered'])} |"
        for kind, row in found["kinds"].items()
    ]
    if found["skipped"]:
        lines += [
            "",
            "Not injected: " + "; ".join(f"{s['kind']} ({s['why']})" for s in found["skipped"]) + ".",
        ]
    lines += ["", "| counted | |", "|---|--:|"]
    lines += [f"| {name} | {count:,} |" for name, count in found["counts"].items()]
    lines += [f"| {name} | {value:,} |" for name, value in found["measured"].items()]
    lines += ["", "| broken promise | times |", "|---|--:|"]
    lines += [f"| {promise} | {count:,} |" for promise, count in found["complaints"].items()] or [
        "| none | 0 |"
    ]
    for promise, examples in found["examples"].items():
        lines += ["", f"{promise}:", "", *(f"- {example}" for example in examples)]
    exits = ", ".join(f"{name}: {count}" for name, count in sorted(found["worker_exits"].items())) or "none"
    lines += [
        "",
        f"Ends of workers by cause and exit code: {exits}.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in found["versions"].items()) + ".",
        "",
        f"Machine: {found['machine']}.",
    ]
    if remark := found.get("remark"):
        lines += ["", remark]
    return "\n".join(lines) + "\n"


def write(found: Mapping[str, Any], text: str, path: Path) -> tuple[Path, Path]:
    """PATH as Markdown, which is the text, and as JSON beside it; both paths."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path, beside


def versions() -> dict[str, str]:
    """Of everything whose behaviour the result depends on."""
    namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ElementTree.parse(Path(__file__).parents[1] / "kafka_server" / "pom.xml")
    kafka = pom.findtext(".//m:dependency/m:version", namespaces=namespace) or "?"
    found = {"Apache Kafka": kafka, "Python": platform.python_version(), "commit": _commit()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # the package is not needed here
    return found


def machine() -> str:
    """Processor, cores, memory, system."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _exits(journal: Path) -> Counter[str]:
    return Counter(
        f"{entry['after'] or 'by itself'} → {entry['code']}" for entry in entries(journal, "worker ended")
    )


def _shown(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f}"


def _never(times: int) -> str:
    return f" (and {times} never)" if times else ""
