"""The page about backpressure, made from the JSON that a run leaves behind; no figure is written by hand (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.recording import provenance


def page(found: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    parts = [
        "# A slow Triton, and one that hangs",
        *provenance("backpressure", "benchmarks.backpressure", found),
        _how(found),
        _rules(found),
        _models(found),
        _worker(found),
    ]
    return "\n\n".join(parts) + "\n"


def _how(found: Mapping[str, Any]) -> str:
    stated = found["settings"]
    return f"""\
One worker with the shipped rules and models, an embedded Triton on the processor, one broker and the load itself share
the machine. {found["rate"]:g} events a second ({found["listing_share"]:.0%} listings), at random times as from independent
users, are sent for {found["seconds"]:g} s after {found["warm_up_s"]:g} s of warming up, whatever becomes of them. One case
leaves Triton alone, one stops it for nine tenths of the time (SIGSTOP and SIGCONT, in turns of half a second), one stops
it altogether. When everything is sent Triton is let go on, and the case ends when every event has its prediction. Each case
has a new worker and topics of its own.

What a worker does about a Triton that is too slow: an event waits {stated["score_deadline_s"] / 2:g} s for its turn and is
then put aside for `rescore`; its rule alerts have gone out long before. So a worker takes
{stated["backlog_rows"]} / {stated["score_deadline_s"] / 2:g} s = {stated["backlog_rows"] / stated["score_deadline_s"] * 2:.0f}
events a second of each topic whatever its models do. How that is built:
[architecture.md](../architecture.md#rules-do-not-wait-for-models)."""


def _rules(found: Mapping[str, Any]) -> str:
    lines = [
        "## Alerts by rules",
        "",
        "Milliseconds from when the event was *due to be sent* until its alert was in a subscriber's hands. A rule's alert "
        f"waits up to {1000 * found['settings']['rule_patience_s']:g} ms for the models, so that one alert carries all "
        "evidence; with a Triton that does not answer that is what it takes.",
        "",
        "| Triton | kept of its time | alerts by rules | p50 | p90 | p99 | most | missing |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for case in found["cases"]:
        figures = case["alerts_by_rule"]
        values = " | ".join(_ms(figures, name) for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms"))
        count = figures["count"] if figures else 0
        lines.append(
            f"| {case['triton']} | {case['triton_kept']:.0%} | {count:,} | {values} | {case['alerts_missing']} |"
        )
    return "\n".join(lines)


def _models(found: Mapping[str, Any]) -> str:
    lines = [
        "## Predictions",
        "",
        "Predictions a second while the events were being sent; seconds from due to the prediction; and how long after the "
        "last event, with Triton at full speed again, everything was worked off.",
        "",
        "| Triton | predictions/s | p50, s | p99, s | worked off after, s | of events | lost | repeated |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for case in found["cases"]:
        p50, p99 = (_s(case["predictions"], name) for name in ("p50_ms", "p99_ms"))
        lines.append(
            f"| {case['triton']} | {case['predictions_per_s']:,.0f} | {p50} | {p99} | {case['worked_off_after_s']:,.1f} "
            f"| {case['sent']:,} | {case['lost']:,} | {case['repeated']:,} |"
        )
    return "\n".join(lines)


def _worker(found: Mapping[str, Any]) -> str:
    lines = [
        "## The worker",
        "",
        "Resident memory when it was ready and at its most; the most events in flight and the longest lags that its "
        "`/metrics` showed, looked at once a second until everything was worked off.",
        "",
        "| Triton | MB when ready | MB at most | in flight | lag of inputs | lag of `rescore` |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for case in found["cases"]:
        memory, lag = case["resident_mb"], case["most_lag"]
        lines.append(
            f"| {case['triton']} | {memory['first']:.0f} | {memory['most']:.0f} | {case['most_in_flight']:,.0f} "
            f"| {lag['inputs']:,.0f} | {lag['rescore']:,.0f} |"
        )
    late = [case["sent_late_ms"] for case in found["cases"] if case["sent_late_ms"]]
    if late:
        most = max(figures["p99_ms"] for figures in late)
        lines += [
            "",
            f"Of 100 events 99 were sent at most {most:.0f} ms late; that counts in the latencies above.",
        ]
    return "\n".join(lines)


def _ms(figures: Mapping[str, float] | None, name: str) -> str:
    return f"{figures[name]:,.0f}" if figures else "–"


def _s(figures: Mapping[str, float] | None, name: str) -> str:
    return f"{figures[name] / 1e3:,.2f}" if figures else "–"
