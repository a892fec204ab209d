"""What the worker counted, read from a page as prometheus_client writes it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from benchmarks.end_to_end.worker_metrics import batch_rows, put_aside, stage_seconds


def test_rows_of_a_request_and_seconds_by_stage() -> None:
    registry = CollectorRegistry()
    rows = Histogram("sekisho_batch_rows", "rows", ["model"], registry=registry)
    stages = Histogram("sekisho_stage_seconds", "seconds", ["stage"], registry=registry)
    for model, sizes in (("a", (64, 32)), ("b", (6,))):
        for size in sizes:
            rows.labels(model=model).observe(size)
    stages.labels(stage="examine").observe(0.25)
    stages.labels(stage="examine").observe(0.5)
    stages.labels(stage="score").observe(2)
    aside = Counter("sekisho_rescores", "aside", ["kind"], registry=registry)
    aside.labels(kind="message").inc(3)
    page = generate_latest(registry).decode()
    assert batch_rows(page) == 34
    assert put_aside(page) == 3
    assert stage_seconds(page) == {"examine": 0.75, "score": 2.0}


def test_a_worker_that_asked_for_nothing() -> None:
    assert batch_rows("") == 0
    assert put_aside("") == 0
    assert stage_seconds("") == {}
