"""The page about latency from a made-up result, and the events that are sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.latency.measuring import generated
from benchmarks.latency.report import page
from streams.stress.schedule import Schedule

HERE = Path(__file__).parent


def _figures(p99_ms: float) -> dict[str, Any]:
    return {
        "received": {
            "count": 1_200,
            "p50_ms": 7.25,
            "p90_ms": 11,
            "p99_ms": p99_ms,
            "p999_ms": 99,
            "max_ms": 120,
        }
    }


def _run(share: float, *, rule: float, model: float | None) -> dict[str, Any]:
    return {
        "share": share,
        "load": {
            "rate": 640 * share, "sent": 1_000, "sent_for_s": 10.0, "drained_for_s": 0.5, "own_cpu_s": 2.1,
            "sent_late_ms": {"p99_ms": 1.5 + share},
        },
        "outcome": {"lost": 0, "alerts_missing": 0},
        "latency": {
            "acknowledged": _figures(3),
            "alert_by_rule": _figures(rule),
            "alert_by_model": {"received": None} if model is None else _figures(model),
            "prediction": _figures(60),
        },
    }  # fmt: skip


RESULT = {
    "date": "2026-11-21",
    "machine": "A processor, 2 cores, load 0.1 at the end",
    "versions": {"python": "3.11.7", "broker": "Apache Kafka 4.1"},
    "command": "python -m benchmarks.latency",
    "seconds": 60.0,
    "trial_s": 20.0,
    "repeats": 2,
    "warm_up_s": 5.0,
    "search_goal_ms": 1_000.0,
    "settings": {"rule_patience_s": 0.02},
    "goals": {
        "0.5": {"p99_ms": 50.0, "rule_p99_ms": None},
        "0.8": {"p99_ms": None, "rule_p99_ms": 25.0},
    },
    "sets": [
        {
            "name": "messages",
            "highest_rate": 640,
            "trials": [{"rate": 640, "held": True}, {"rate": 1_280, "held": False}],
            "runs": [
                _run(0.5, rule=20, model=45),
                _run(0.8, rule=24, model=70),
                _run(0.5, rule=22, model=61),
                _run(0.8, rule=31, model=80),
            ],
        },
        {
            "name": "messages and listings",
            "highest_rate": 80,
            "trials": [{"rate": 80, "held": True}],
            "runs": [_run(0.5, rule=20, model=None)],
        },
    ],
}


def test_the_page() -> None:
    assert page(RESULT) == (HERE / "latency_page.approved.txt").read_text()


def test_the_generated_events_are_as_many_as_are_due_and_none_is_sent_twice() -> None:
    schedule = Schedule(rate=60, seconds=4, warm_up_s=1)
    drafts = list(generated(schedule, seed=1, listing_share=0.2))
    assert len(drafts) == len(schedule.due_s()) == 300
    assert len({d.body.get("message_id") or d.body.get("listing_id") for d in drafts}) == 300
    assert {d.topic for d in drafts} == {"messages", "listings"}
    assert {d.topic for d in generated(schedule, seed=1, listing_share=0.0)} == {"messages"}
