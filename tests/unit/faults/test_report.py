"""The page that a campaign leaves, as people read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.faults.report import markdown, versions, write

APPROVED = Path(__file__).with_name("report.approved.txt")

FOUND: dict[str, Any] = {
    "passed": True,
    "began_at": "2026-11-21T15:00:00+00:00",
    "plan": {"events": 1000000, "rate": 300.0, "faults": 60, "seed": 7, "workers": 3, "brokers": 3},
    "load_s": 3402.4,
    "counts": {"alerts": 31022, "records produced": 1000211},
    "complaints": {},
    "examples": {},
    "measured": {"peak memory of a worker, MiB": 301},
    "kinds": {
        "broker killed": {"faults": 3, "alone": 2, "not recovered": 0, "p50_s": 9.5, "max_s": 12.0},
        "disk full": {"faults": 2, "alone": 0, "not recovered": 1, "p50_s": 14.0, "max_s": 14.0},
    },
    "skipped": [{"kind": "Triton stub killed", "why": "Triton has no stub process at the moment"}],
    "faults": [{}, {}],
    "worker_exits": {"SIGKILL → -9": 2, "by itself → 1": 1},
    "versions": {"Apache Kafka": "4.1.1", "Python": "3.11.7"},
    "machine": "a machine",
}
LOST = {
    **FOUND,
    "passed": False,
    "complaints": {"lost": 12},
    "examples": {"lost": ["messages-3@77 has neither a prediction nor a dead letter"]},
    "skipped": [],
}


def test_the_pages_of_a_campaign_that_passed_and_of_one_that_did_not() -> None:
    text = f"{markdown(FOUND)}\n\n{markdown(LOST)}"
    APPROVED.with_suffix(".received.txt").write_text(text)
    assert text == APPROVED.read_text()
    APPROVED.with_suffix(".received.txt").unlink()


def test_the_json_stands_beside_the_page(tmp_path: Path) -> None:
    page, beside = write(FOUND, markdown(FOUND), tmp_path / "results" / "faults.md")
    assert page.read_text() == markdown(FOUND)
    assert json.loads(beside.read_text()) == FOUND


def test_versions_name_what_the_result_depends_on() -> None:
    assert {"Apache Kafka", "Python", "commit", "faust-streaming", "aiokafka"} <= set(versions())
