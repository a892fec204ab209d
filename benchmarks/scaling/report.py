"""The page about scaling, made from the JSON that runs leave behind; no figure is written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.recording import Files
from benchmarks.rules.speed import Spread

FILES = Files.of("scaling")

#: Goals: microseconds of a message with ten domains; times the cost with 100 rules; times that of the least state.
GOAL_TEN_DOMAINS_US = 2_000.0
GOAL_RULES_RATIO = 1.5
GOAL_FLAT_RATIO = 1.1

Case = Mapping[str, Any]


def together_us(case: Case, part: str) -> Spread:
    """Processor time of workers and Triton per event, in microseconds, the broker's apart."""
    used = [run["parts"][part]["cpu_us"] for run in case["runs"]]
    return Spread.of([each["worker"] + each["models"] for each in used])


def of_role_us(case: Case, part: str, role: str) -> float:
    """Median processor time per event of one role; 0 where there is no such process."""
    return float(median(run["parts"][part]["cpu_us"].get(role, 0.0) for run in case["runs"]))


def of_run(case: Case, name: str) -> float:
    """Median of a figure of the whole run."""
    return float(median(run[name] for run in case["runs"]))


def bytes_per_conversation(least: Case, most: Case) -> float:
    """Resident memory of the worker that a held conversation adds, from two numbers of conversations."""
    added_mb = of_run(most, "resident_mb") - of_run(least, "resident_mb")
    return 1e6 * added_mb / int(most["conversations"] - least["conversations"])


def page(result: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    return "# Scaling\n\n" + section(result)


def section(result: Mapping[str, Any]) -> str:
    """The same without its title, for a page of several."""
    parts = [
        "*Written by `python -m benchmarks.scaling` from `benchmarks/results/scaling.json`; do not edit.*",
        _HOW,
    ]
    for axis, (title, body) in _AXES.items():
        if axis in result["axes"]:
            measured = result["axes"][axis]
            parts += [f"## {title}", *body(measured), _where(measured)]
    return "\n\n".join(part for part in parts if part) + "\n"


_HOW = """\
A real `sekisho worker`, Triton and broker on the same two cores, of their own for every run; where nothing else is said
with three message models, a thousand rules and PII masking. The worker is ready, then all events are sent as fast as the
broker takes them. **µs** are microseconds of processor time per event, median of the runs with the least and the most:
`worker`, `Triton` with the processes that run its models, and the two together, which the goals are about; the broker
stands beside them. The clock is the broker's, from the first prediction to the last. Deadlines are long in these runs (60 s
a call, 120 s an event), so that nothing is put aside for later. Every prediction is checked to have the score of every model. The runs of all cases take turns,
in another order each time."""


def _where(measured: Mapping[str, Any]) -> str:
    runs = {len(case["runs"]) for case in measured["cases"]}
    return (
        f"{measured['date']}, {measured['machine']}; "
        + ", ".join(f"{name} {number}" for name, number in measured["versions"].items())
        + f". {measured['partitions']} partitions, {max(runs)} runs of each case. `{measured['command']}`"
    )


def _domains(measured: Mapping[str, Any]) -> list[str]:
    cases = measured["cases"]
    said = [
        "Each domain has a model of its own; above three they are the shipped models under other names, with the same "
        "thresholds, so that a violation raises several alerts.",
        _table(cases, alerts=True),
    ]
    for case in cases:
        if case["at"] == 10:
            used = together_us(case, "all").median
            said.append(
                f"Goal: at most {GOAL_TEN_DOMAINS_US / 1e3:g} ms of processor time per message with ten domains: "
                f"{used / 1e3:.2f} ms, {_met(used <= GOAL_TEN_DOMAINS_US)}."
            )
    return said


def _rules(measured: Mapping[str, Any]) -> list[str]:
    cases = measured["cases"]
    found = together_us(cases[-1], "all").median / together_us(cases[0], "all").median
    return [
        "The same messages and domains with more active rules; fewer rules are the first of the more. More rules fire "
        "more often, and what fires is written down.",
        _table(cases, alerts=True),
        f"Goal: from {cases[0]['title']} to {cases[-1]['title']} at most {GOAL_RULES_RATIO:g} times: {found:.2f} times, "
        f"{_met(found <= GOAL_RULES_RATIO)}.",
    ]


def _conversations(measured: Mapping[str, Any]) -> list[str]:
    cases = measured["cases"]
    said = [
        "So many conversations of five messages are held when the messages come. *Lively*: all messages belong to a thousand "
        "of them, whatever is held beside. *Scattered*: each belongs to any of them, so that with many the worker "
        "remembers nothing of the four messages before and masks, tokenises and scans them again.",
        "| conversations | store | lively, µs together | least – most | scattered, µs together | least – most |\n"
        "|--:|---|--:|--:|--:|--:|\n"
        + "\n".join(
            f"| {case['conversations']:,} | {case['store']} "
            + " ".join(
                f"| {us.median:,.0f} | {us.least:,.0f} – {us.most:,.0f}"
                for us in (together_us(case, "lively"), together_us(case, "scattered"))
            )
            + " |"
            for case in cases
        ),
        "| conversations | store | resident, MB | bytes a conversation | start to ready, s | processor time of the start, s |\n"
        "|--:|---|--:|--:|--:|--:|\n" + "\n".join(_held(case, cases) for case in cases),
    ]
    for store in dict.fromkeys(case["store"] for case in cases):
        of_store = [case for case in cases if case["store"] == store]
        if len(of_store) > 1:
            ratio = together_us(of_store[-1], "lively").median / together_us(of_store[0], "lively").median
            said.append(
                f"Goal, {store}: the time per event flat (at most {GOAL_FLAT_RATIO:g} times) from "
                f"{of_store[0]['conversations']:,} to {of_store[-1]['conversations']:,} conversations: "
                f"{ratio:.2f} times, {_met(ratio <= GOAL_FLAT_RATIO)}."
            )
    return said


def _held(case: Case, cases: Sequence[Case]) -> str:
    least = next(other for other in cases if other["store"] == case["store"])
    added = "" if case is least else f"{bytes_per_conversation(least, case):,.0f}"
    return (
        f"| {case['conversations']:,} | {case['store']} | {of_run(case, 'resident_mb'):,.0f} | {added} "
        f"| {of_run(case, 'ready_s'):.1f} | {of_run(case, 'start_cpu_s'):.1f} |"
    )


def _workers(measured: Mapping[str, Any]) -> list[str]:
    cases = measured["cases"]
    return [
        "Workers, Triton and broker share the cores. With more than two cores each model has an instance for every "
        "other core.",
        _table(cases, rates=True),
    ]


def _lengths(measured: Mapping[str, Any]) -> list[str]:
    return [
        "Every message of a conversation has so many characters. Models read at most 64 tokens of a message; masking, "
        "tokens and rules take all of it.",
        _table(measured["cases"]),
    ]


def _images(measured: Mapping[str, Any]) -> list[str]:
    lines = [
        "| listing with | µs worker | µs Triton | of it encoder | µs together | least – most | encoder's share |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for case in measured["cases"]:
        us = together_us(case, "all")
        encoder = of_role_us(case, "all", "encoder")
        lines.append(
            f"| {case['title']} | {of_role_us(case, 'all', 'worker'):,.0f} | {of_role_us(case, 'all', 'models'):,.0f} "
            f"| {encoder:,.0f} | {us.median:,.0f} | {us.least:,.0f} – {us.most:,.0f} | {100 * encoder / us.median:.0f} % |"
        )
    return [
        f"Listings with the shipped rules and models. Pictures of 1080 × 1080 pixels "
        f"({measured['picture_bytes'] / 1e3:.0f} kB of JPEG), no two the same, are fetched from an HTTP server on this machine, "
        "decoded by the worker and encoded on Triton. The worker takes the first picture that it can use, so that the others "
        "cost nothing; a picture that was seen before is not encoded again, which is not shown here.",
        "\n".join(lines),
    ]


def _table(cases: Sequence[Case], *, alerts: bool = False, rates: bool = True) -> str:
    first = together_us(cases[0], "all").median
    lines = [
        "| | µs worker | µs Triton | µs together | least – most | times the first |"
        + (" events/s |" if rates else "")
        + (" alerts per 100 |" if alerts else "")
        + " µs broker |",
        "|---|--:|--:|--:|--:|--:|" + "--:|" * (1 + rates + alerts),
    ]
    for case in cases:
        us = together_us(case, "all")
        rate = median(run["parts"]["all"]["events_per_s"] for run in case["runs"])
        lines.append(
            f"| {case['title']} | {of_role_us(case, 'all', 'worker'):,.0f} | {of_role_us(case, 'all', 'models'):,.0f} "
            f"| {us.median:,.0f} | {us.least:,.0f} – {us.most:,.0f} | {us.median / first:.2f} |"
            + (f" {rate:,.0f} |" if rates else "")
            + (f" {100 * of_run(case, 'alerts_per_event'):.1f} |" if alerts else "")
            + f" {of_role_us(case, 'all', 'broker'):,.0f} |"
        )
    return "\n".join(lines)


def _met(met: bool) -> str:
    return "met" if met else "**not met**"


_AXES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "domains": ("Domains", _domains),
    "rules": ("Rules", _rules),
    "conversations": ("Conversations", _conversations),
    "workers": ("Workers", _workers),
    "images": ("Listings with pictures", _images),
    "lengths": ("Length of messages", _lengths),
}
