"""An agent failed in the middle of a delivery (the disk of its table store was full), and the worker waited out its
whole drain time for that delivery before it let go of its partitions.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streams.agents.lane import Delivery
from streams.app import Pipeline
from streams.inference.triton import TritonClient
from streams.rulebook import LiveRulebook
from streams.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # Longer than any test may last: whoever waits for it never comes back.
    return Settings(data_dir=tmp_path, rules_dir=tmp_path, drain_s=86_400.0)


async def test_a_delivery_that_failed_is_not_waited_for(settings: Settings):
    told: list[BaseException] = []
    triton = TritonClient.from_settings(settings)
    pipeline = Pipeline(
        settings, rulebook=LiveRulebook(settings.rules_dir, poll_s=5.0), triton=triton, fail=told.append
    )
    lane = pipeline._lanes["messages"].lane
    await lane.begin(Delivery("messages", 0, last_offset=7, generation_id=1, left=8))
    draining = asyncio.create_task(pipeline.drain())
    await asyncio.sleep(0)
    assert not pipeline.failed
    assert not draining.done(), "a delivery that may still be finished is waited for"
    draining.cancel()

    full = OSError("No space left on device")
    pipeline._fail(full)
    assert told == [full]
    assert pipeline.failed
    async with asyncio.timeout(30):
        await pipeline.drain()
    assert pipeline.rows_in_flight == 8, "nothing of it was completed"
    await triton.close()
    await pipeline._producer.stop()
