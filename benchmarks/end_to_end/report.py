"""The page about the end-to-end comparison, made from the JSON that a run leaves behind; no figure is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.recording import Files, provenance

FILES = Files.of("end_to_end")

_TITLES = {
    "sekisho": "**Sekisho**: one worker, Triton",
    "in_process": "in-process limit: one Python loop, no Kafka, no Triton",
    "in_process_2": "in-process limit, two such loops",
    "faust": "plain Faust agent, Triton awaited per event",
    "quix": "Quix Streams, models in its process",
    "quix_2": "Quix Streams, two such processes",
    "rest": "aiokafka, a REST service per model, 16 messages at a time",
    "rest_1": "aiokafka, a REST service per model, one message at a time",
}
#: (system, least ratio of Sekisho's rate to its rate). Where a competitor can be run better than the simplest way, the
#: same goal is asked of both.
_GOALS = (
    ("in_process", 0.75),
    ("faust", 3.0),
    ("quix", 1.5),
    ("quix_2", 1.5),
    ("rest_1", 5.0),
    ("rest", 5.0),
)


def page(result: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    return "# End to end\n\n" + section(result)


def section(result: Mapping[str, Any]) -> str:
    """The same without its title, for a page of several."""
    said = result["messages"]
    parts = [
        *provenance("end_to_end", "benchmarks.end_to_end", result),
        _HOW.format(
            checked=result["checked"],
            rules=result["rules"],
            partitions=result["partitions"],
            alerted=said["alerted_share"],
            **{name: said[name] for name in ("messages", "conversations", "different_texts", "mean_chars")},
        ),
        _table(result["runs"]),
        _goals(result["runs"]),
        _CPU,
        _cpu_table(result["runs"]),
        *_own_counts(result["runs"]),
        *_stages(result["runs"].get("sekisho", ()), result["stages"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_HOW = """\
All systems do the same work with the same models (the three shipped message models, ONNX Runtime with one
thread each), the same {rules:,} rules, the same masking, tokeniser and thresholds: decode, window of the last five, mask,
rules, tokens, three scores, thresholds, alerts and prediction to Kafka, acknowledged. They share one pair of cores with the
broker. {messages:,} generated messages ({conversations:,} conversations, {mean_chars} characters on average, {different_texts:,}
different texts) wait in {partitions} partitions before a system starts; the clock runs from the broker's timestamp of
the first prediction to that of the last. {alerted:.1%} of the messages raise an alert. Before the timing every system
answered {checked} messages, and the run would have ended if a score had differed by more than 1e-5 or an alert at
all; the timed answers were compared as well. Systems take turns, in another order each round."""

_CPU = """\
## Processor time

Microseconds of processor time per message, medians. It is steadier than the rate: others on the machine lengthen a run
but hardly what it costs."""


_STAGES = """\
## Sekisho's worker by stage

Shares of the samples that py-spy took of the worker's threads in a run of its own (it slows the worker down, so that run
is in no other table), times the median above."""


def _table(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    ours = _median_rate(runs["sekisho"]) if runs.get("sekisho") else None
    lines = [
        "| system | messages/s | slowest – fastest | Sekisho is | lost |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in _in_order(runs):
        rates = [row["messages_per_s"] for row in runs[name]]
        ratio = "" if name == "sekisho" or ours is None else f"{ours / median(rates):.2f} ×"
        lost = max(row["lost"] for row in runs[name])
        lines.append(
            f"| {_TITLES[name]} | {median(rates):,.0f} | {min(rates):,.0f} – {max(rates):,.0f} | {ratio} "
            f"| {lost or ''} |"
        )
    return "\n".join(lines)


def _goals(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    if not runs.get("sekisho"):
        return ""
    said = []
    for name, least in _GOALS:
        if runs.get(name):
            ratio = _median_rate(runs["sekisho"]) / _median_rate(runs[name])
            said.append(
                f"{ratio:.2f} × {_TITLES[name]} (goal {least:g}: {'met' if ratio >= least else '**not met**'})"
            )
    return "Goals: " + "; ".join(said) + "." if said else ""


def _cpu_table(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = [
        "| system | worker | models | together | slowest – fastest | broker |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in _in_order(runs):
        used = [row["cpu_us"] for row in runs[name]]
        both = [each["worker"] + each.get("models", 0.0) for each in used]
        lines.append(
            f"| {_TITLES[name]} | {_of(used, 'worker')} | {_of(used, 'models')} | {median(both):,.0f} "
            f"| {min(both):,.0f} – {max(both):,.0f} | {_of(used, 'broker')} |"
        )
    return "\n".join(lines)


def _own_counts(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    rows = [row for row in runs.get("sekisho", ()) if "batch_rows" in row]
    if not rows:
        return []
    return [
        f"Sekisho asked Triton about {median(row['batch_rows'] for row in rows):.0f} messages at a time (mean of a "
        f"run, median of the runs) and put {max(row['put_aside'] for row in rows)} aside for `rescore` (most of a run)."
    ]


def _stages(rows: Sequence[Mapping[str, Any]], stages: Mapping[str, float]) -> list[str]:
    if not rows or not stages:
        return []
    whole = median(row["cpu_us"]["worker"] for row in rows)
    lines = ["| stage of the worker | share | µs per message |", "|---|--:|--:|"]
    lines += [f"| {stage} | {share:.1%} | {share * whole:,.0f} |" for stage, share in stages.items()]
    return [_STAGES, "\n".join(lines)]


def _in_order(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    return [name for name in _TITLES if runs.get(name)]


def _of(used: Sequence[Mapping[str, float]], role: str) -> str:
    return f"{median(each[role] for each in used):,.0f}" if role in used[0] else ""


def _median_rate(rows: Sequence[Mapping[str, Any]]) -> float:
    return float(median(row["messages_per_s"] for row in rows))
