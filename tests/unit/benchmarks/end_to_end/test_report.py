"""The page says what the run found, misses and goals included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.end_to_end.report import page

APPROVED = Path(__file__).with_name("report.approved.md")


def row(
    rate: float, worker: float, models: float | None = None, *, lost: int = 0, **more: Any
) -> dict[str, Any]:
    used = {"worker": worker, "broker": 50.0} | ({} if models is None else {"models": models})
    return {
        "messages": 1000,
        "seconds": 1000 / rate,
        "messages_per_s": rate,
        "cpu_us": used,
        "lost": lost,
        **more,
    }


def result(**runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "benchmark": "end_to_end",
        "date": "2026-11-21",
        "command": "python -m benchmarks.end_to_end",
        "machine": "a processor, 2 cores",
        "versions": {"Python": "3.11.7", "broker": "Apache Kafka 4.1.1"},
        "messages": {
            "messages": 20_000,
            "conversations": 4_470,
            "different_texts": 3_003,
            "mean_chars": 17.7,
            "alerted_share": 0.067,
        },
        "rules": 1_000,
        "partitions": 8,
        "checked": 500,
        "runs": runs,
        "stages": {"rules": 0.6, "Faust": 0.4},
    }


def test_page() -> None:
    found = result(
        sekisho=[
            row(2_000, 300, 400, batch_rows=60.0, put_aside=0),
            row(1_900, 310, 410, batch_rows=50.0, put_aside=0),
            row(2_100, 290, 390, batch_rows=61.0, put_aside=0),
        ],
        in_process=[row(2_500, 380)],
        faust=[row(500, 900, 1_500, lost=3)],
        rest=[row(450, 600, 1_600)],
    )
    assert page(found) == APPROVED.read_text("utf-8")


def test_a_page_without_sekisho_has_no_ratios() -> None:
    text = page(result(quix=[row(700, 1_400)]))
    assert "Quix Streams" in text
    assert "Goals" not in text
    assert "by stage" not in text
