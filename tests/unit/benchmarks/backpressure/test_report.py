"""The page about backpressure says what the run found, and says when there was nothing to find."""

from __future__ import annotations

from typing import Any

from benchmarks.backpressure.report import page

FIGURES = {"count": 321, "p50_ms": 12.4, "p90_ms": 20.0, "p99_ms": 108.6, "p999_ms": 130.0, "max_ms": 142.2}


def case(triton: str, **changes: Any) -> dict[str, Any]:
    return {
        "triton": triton,
        "triton_kept": 0.102,
        "sent": 9750,
        "sent_late_ms": FIGURES,
        "alerts_by_rule": FIGURES,
        "alerts_by_model": None,
        "predictions": {**FIGURES, "p50_ms": 5040.0, "p99_ms": 61_250.0},
        "predictions_per_s": 48.3,
        "worked_off_after_s": 31.5,
        "lost": 0,
        "dead_letters": 0,
        "alerts_missing": 0,
        "repeated": 0,
        "resident_mb": {"first": 228.1, "most": 262.8},
        "most_lag": {"inputs": 480.0, "rescore": 6321.0},
        "most_in_flight": 1024.0,
        "looks": [],
        **changes,
    }


def found(*cases: dict[str, Any]) -> dict[str, Any]:
    return {
        "benchmark": "backpressure",
        "date": "2026-11-21",
        "machine": "a machine, 2 cores",
        "versions": {"aiokafka": "0.14.0", "broker": "Apache Kafka 4.1.1"},
        "command": "python -m benchmarks.backpressure",
        "rate": 150.0,
        "seconds": 60.0,
        "warm_up_s": 5.0,
        "listing_share": 0.1,
        "settings": {
            "backlog_rows": 2048,
            "score_deadline_s": 5.0,
            "triton_timeout_s": 2.0,
            "rule_patience_s": 0.1,
        },
        "cases": list(cases),
    }


def test_every_case_has_its_line_in_every_table() -> None:
    text = page(found(case("a tenth"), case("hung", lost=3)))
    assert "| a tenth | 10% | 321 | 12 | 20 | 109 | 142 | 0 |" in text
    assert "| a tenth | 48 | 5.04 | 61.25 | 31.5 | 9,750 | 0 | 0 |" in text
    assert "| hung | 48 | 5.04 | 61.25 | 31.5 | 9,750 | 3 | 0 |" in text
    assert "| a tenth | 228 | 263 | 1,024 | 480 | 6,321 |" in text


def test_the_worker_s_own_limit_is_worked_out_from_its_settings() -> None:
    assert "2048 / 2.5 s = 819\nevents a second" in page(found(case("a tenth")))


def test_what_was_not_there_is_a_dash() -> None:
    text = page(found(case("hung", alerts_by_rule=None, predictions=None, sent_late_ms=None)))
    assert "| hung | 10% | 0 | – | – | – | – | 0 |" in text
    assert "late; that counts" not in text
