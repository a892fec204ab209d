"""What a finished run leaves: a record for programs and a page of text for people (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.events import rfc3339
from streams.stress.account import KEPT, Latencies
from streams.stress.identity import event_id
from streams.stress.measures import Percentiles, histogram, percentiles
from streams.stress.run import Run
from streams.stress.verdict import Goals, Verdict

#: Raised when a field changes its meaning.
FORMAT: Final = 1
#: What is measured, with the name that people read.
MEASURED: Final = {
    "acknowledged": "event acknowledged by Kafka",
    "prediction": "prediction",
    "alert_by_rule": "alert by a rule",
    "alert_by_model": "alert by a model",
}
_COLUMNS: Final = ("p50", "p90", "p99", "p99.9", "max")

Values = NDArray[np.floating[Any]]


def result(run: Run, goals: Goals, verdict: Verdict, *, surroundings: Mapping[str, object]) -> dict[str, Any]:
    """The result file: everything asked for and found. `surroundings` are settings, versions and the like."""
    account, schedule = run.account, run.schedule
    unalerted = account.unalerted
    return {
        "format": FORMAT,
        "run": run.name,
        "began_at": rfc3339(run.began_at_us),
        "passed": verdict.passed,
        "complaints": list(verdict.complaints),
        "goals": asdict(goals),
        "load": {
            **asdict(schedule),
            "due": account.due,
            "sent": account.sent,
            "sent_for_s": round(run.sent_for_s, 3),
            "rate_reached": round(account.sent / max(run.sent_for_s, schedule.span_s), 1)
            if not run.stopped
            else round(account.sent / run.sent_for_s, 1),
            "sent_late_ms": _figures(account.sent_late_s()),
            "own_cpu_s": round(run.own_cpu_s, 3),
            "drained_for_s": round(run.drained_for_s, 3),
        },
        "outcome": {
            "acknowledged": account.acknowledged,
            "not_acknowledged": account.refused,
            "problems": dict(account.problems),
            "predictions": account.predictions,
            "dead_letters": dict(account.dead_letters),
            "repeated": account.repeated,
            "lost": account.lost,
            "lost_events": [event_id(run.name, number) for number in account.lost_numbers()],
            "alerts_missing": len(unalerted),
            "missing_alerts": [
                {"event": event_id(run.name, number), "domain": domain, "by": by}
                for number, domain, by in unalerted[:KEPT]
            ],
        },
        "latency": {
            "acknowledged": _measured(account.acknowledgement_s()),
            "prediction": _both(account.prediction()),
            "alert_by_rule": _both(account.alerts("rule")),
            "alert_by_model": _both(account.alerts("model")),
        },
        **surroundings,
    }


def text(found: Mapping[str, Any]) -> str:
    """The result as a page without a final line break; the last line is the verdict."""
    load, outcome = found["load"], found["outcome"]
    lines = [
        f"{found['run']}: {load['rate']:g} events/s for {load['seconds']:g} s"
        + (f" after {load['warm_up_s']:g} s of warming up" if load["warm_up_s"] else ""),
        "",
        f"{'from due to …, in ms':<30}{'count':>9}" + "".join(f"{name:>9}" for name in _COLUMNS),
        *_rows(found["latency"]),
        "",
        *_counts(load, outcome),
        "",
        *(f"✗ {complaint}" for complaint in found["complaints"]),
    ]
    if found["passed"]:
        lines.append(f"every goal was met: {_goals(found['goals'])}")
    return "\n".join(lines)


def _rows(latency: Mapping[str, Any]) -> list[str]:
    rows = []
    for key, name in MEASURED.items():
        figures = latency[key]["received"]
        if figures is None:
            rows.append(f"{name:<30}{0:>9}")
            continue
        values = (figures[f"{column}_ms"] for column in ("p50", "p90", "p99", "p999", "max"))
        rows.append(f"{name:<30}{figures['count']:>9,}" + "".join(f"{value:>9,.1f}" for value in values))
    return rows


def _counts(load: Mapping[str, Any], outcome: Mapping[str, Any]) -> Sequence[str]:
    late = load["sent_late_ms"]
    dead = sum(outcome["dead_letters"].values())
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(outcome["dead_letters"].items()))
    lines = [
        f"{load['sent']:,} of {load['due']:,} events sent ({load['rate_reached']:g}/s), "
        f"{outcome['acknowledged']:,} acknowledged: {outcome['predictions']:,} predictions, {dead:,} dead letters"
        + (f" ({reasons})" if reasons else "")
        + f", {outcome['lost']:,} lost"
    ]
    if outcome["alerts_missing"]:
        lines.append(f"{outcome['alerts_missing']:,} alerts did not come")
    if outcome["repeated"]:
        lines.append(
            f"{outcome['repeated']:,} delivered more than once, as after a worker's crash or a lost acknowledgement"
        )
    if late is not None:
        lines.append(
            f"events were sent late by p50 {late['p50_ms']:.1f} ms, p99 {late['p99_ms']:.1f} ms, which counts above"
        )
    return lines


def _goals(goals: Mapping[str, Any]) -> str:
    parts = [f"at most {goals['max_loss']:,} lost"]
    if goals["p99_ms"] is not None:
        parts.append(f"p99 of alerts ≤ {goals['p99_ms']:g} ms")
    if goals["rule_p99_ms"] is not None:
        parts.append(f"p99 of alerts by rules ≤ {goals['rule_p99_ms']:g} ms")
    if goals["prediction_p99_ms"] is not None:
        parts.append(f"p99 of predictions ≤ {goals['prediction_p99_ms']:g} ms")
    return ", ".join(parts)


def _both(latencies: Latencies) -> dict[str, Any]:
    return {**_measured(latencies.received_s), "stamped": _figures(latencies.stamped_s)}


def _measured(values_s: Values) -> dict[str, Any]:
    return {"received": _figures(values_s), "histogram_ms": histogram(values_s)}


def _figures(values_s: Values) -> dict[str, float] | None:
    figures: Percentiles | None = percentiles(values_s)
    return None if figures is None else asdict(figures)
