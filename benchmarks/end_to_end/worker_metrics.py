"""What the worker counted itself, read from the text of its /metrics page."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families


def batch_rows(text: str) -> float:
    """Mean rows of a Triton request, of all models."""
    total = sum(value for _, value in _samples(text, "sekisho_batch_rows_sum"))
    return total / max(1.0, sum(value for _, value in _samples(text, "sekisho_batch_rows_count")))


def put_aside(text: str) -> int:
    """Messages that went to `rescore` because the models kept them waiting: none in a run that measures anything."""
    return int(sum(value for _, value in _samples(text, "sekisho_rescores_total")))


def stage_seconds(text: str) -> dict[str, float]:
    """Seconds spent in each stage, all batches together. Only `examine` does not wait for others."""
    found = _samples(text, "sekisho_stage_seconds_sum")
    return {labels["stage"]: round(value, 3) for labels, value in found}


def _samples(text: str, name: str) -> Iterator[tuple[dict[str, str], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                yield sample.labels, sample.value
