"""The page about latency, made from the JSON that a run leaves behind; no figure is written by hand (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.recording import provenance

_ROWS = {
    "acknowledged": "Kafka has the event",
    "alert_by_rule": "**alert by a rule**",
    "alert_by_model": "**alert by a model**",
    "prediction": "prediction",
}


def page(found: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    parts = [
        "# From event to alert",
        *provenance("latency", "benchmarks.latency", found),
        _how(found),
        *(
            f"The worker ran with `{name}` {value} instead of its default."
            for name, value in found["settings"].items()
        ),
        *(_set(one, found) for one in found["sets"]),
    ]
    return "\n\n".join(parts) + "\n"


def _how(found: Mapping[str, Any]) -> str:
    return f"""\
One worker with the shipped rules and models, an embedded Triton on the processor, one broker, and the load itself share
the machine's cores: elsewhere the load comes from other machines. The highest rate is the highest of which a run of
{found["trial_s"]:g} s loses nothing and 99 of 100 predictions come within {found["search_goal_ms"] / 1000:g} s (doubled
until it fails, then halved down to a fifteenth). Then {found["repeats"]} runs of {found["seconds"]:g} s, after
{found["warm_up_s"]:g} s of warming up, at each share of it, in turn. Events come at random times, as from independent
users (Poisson), and are generated, each once.

Times are in milliseconds from when an event was *due to be sent* until the output was in a subscriber's hands, so a sender
or a broker that was held up hides nothing ([stress.md](../stress.md)). A figure is the median of the runs, with the least
and the most. "Kafka has the event" is what Kafka itself and the sender take of it. An alert by a model counts from the
first revision that holds the model's evidence."""


def _set(one: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    shares = sorted({run["share"] for run in one["runs"]})
    lines = [
        f"## {one['name'].capitalize()}",
        "",
        f"Highest rate: **{one['highest_rate']:,.0f} events/s** ({_trials(one['trials'])}).",
        "",
        "| load | events/s | from due until | values | p50 | p90 | p99 | p99.9 |",
        "|--:|--:|---|--:|--:|--:|--:|--:|",
    ]
    for share in shares:
        runs = [run for run in one["runs"] if run["share"] == share]
        for key, name in _ROWS.items():
            figures = [run["latency"][key]["received"] for run in runs if run["latency"][key]["received"]]
            if not figures:
                lines.append(f"| {share:.0%} | {runs[0]['load']['rate']:,.0f} | {name} | 0 | | | | |")
                continue
            cells = " | ".join(
                _spread([f[q] for f in figures]) for q in ("p50_ms", "p90_ms", "p99_ms", "p999_ms")
            )
            count = sum(f["count"] for f in figures)
            lines.append(f"| {share:.0%} | {runs[0]['load']['rate']:,.0f} | {name} | {count:,} | {cells} |")
    lines += ["", *_verdicts(one, found), "", _sender(one["runs"])]
    return "\n".join(lines)


def _trials(trials: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{trial['rate']:,.0f} {'held' if trial['held'] else 'failed'}" for trial in trials)


def _spread(figures: Sequence[float]) -> str:
    return f"{median(figures):,.1f} ({min(figures):,.1f} – {max(figures):,.1f})"


def _verdicts(one: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    lines = []
    for share, goals in found["goals"].items():
        runs = [run for run in one["runs"] if run["share"] == float(share)]
        wanted = {
            "alert_by_rule": goals["rule_p99_ms"] or goals["p99_ms"],
            "alert_by_model": goals["p99_ms"],
        }
        for key, goal_ms in wanted.items():
            figures = [run["latency"][key]["received"] for run in runs if run["latency"][key]["received"]]
            if goal_ms is None:
                continue
            name = _ROWS[key].strip("*")
            if not figures:
                lines.append(f"- {name} at {float(share):.0%}: none came")
                continue
            reached = median(f["p99_ms"] for f in figures)
            said = "met" if reached <= goal_ms else "**missed**"
            lines.append(
                f"- {name} at {float(share):.0%}: p99 {reached:,.1f} ms, the goal is {goal_ms:g} ms: {said}"
            )
    lost = sum(run["outcome"]["lost"] + run["outcome"]["alerts_missing"] for run in one["runs"])
    sent = sum(run["load"]["sent"] for run in one["runs"])
    return [*lines, f"- lost: {lost} of {sent:,}"]


def _sender(runs: Sequence[Mapping[str, Any]]) -> str:
    late = [run["load"]["sent_late_ms"]["p99_ms"] for run in runs]
    cores = [
        run["load"]["own_cpu_s"] / (run["load"]["sent_for_s"] + run["load"]["drained_for_s"]) for run in runs
    ]
    return (
        f"The load itself took {min(cores):.2f} to {max(cores):.2f} cores and was late by p99 {median(late):.1f} ms "
        f"({min(late):.1f} – {max(late):.1f}), which counts in every figure."
    )
