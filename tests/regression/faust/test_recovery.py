"""Stock Faust resumes source partitions before it seeks them, and sleeps a second before recovery."""

from __future__ import annotations

from typing import Any

import faust
import pytest

from streams.kafka.faust_corrections import CorrectedApp
from tests.regression.faust.harness import running, until

pytestmark = pytest.mark.embedded


def _record_calls(calls: list[str]) -> Any:
    def instrument(app: Any) -> None:
        consumer = app.consumer
        seek, resume = consumer.perform_seek, consumer.resume_partitions

        async def perform_seek() -> None:
            calls.append("seek")
            await seek()

        def resume_partitions(tps: Any) -> None:
            if any(tp.topic.endswith("-in") for tp in tps):
                calls.append("resume")
            resume(tps)

        consumer.perform_seek, consumer.resume_partitions = perform_seek, resume_partitions

    return instrument


async def test_source_partitions_are_sought_before_they_are_resumed(noida: str) -> None:
    calls: list[str] = []
    async with running(noida, on_app=_record_calls(calls)):
        await until(lambda: "resume" in calls and "seek" in calls, "recovery")
    assert calls.index("seek") < calls.index("resume")


async def test_stock_faust_still_has_the_fault(noida: str) -> None:
    """When this fails, upstream has mended it: delete the correction."""
    calls: list[str] = []
    async with running(noida, app_type=faust.App, on_app=_record_calls(calls)):
        await until(lambda: "resume" in calls and "seek" in calls, "recovery")
    assert calls.index("resume") < calls.index("seek")


async def test_events_that_waited_before_a_fresh_group_started_are_all_seen(noida: str) -> None:
    async with running(noida) as first:
        topic = first.topic
        await first.produce(30)
        await until(lambda: len(first.offsets) == 30, "the first group")
    async with running(noida, topic=topic, app_type=CorrectedApp) as second:
        await until(lambda: len(second.offsets) >= 30, "the second group")
    assert second.offsets == [(0, offset) for offset in range(30)]
