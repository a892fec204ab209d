"""Partitions that are worked on in batches were logged as stopped, as errors, from five minutes after the start on."""

from __future__ import annotations

import logging
import time

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from tests.regression.faust.harness import Running, running, until

pytestmark = pytest.mark.embedded

#: Longer than Faust's patience with a stream or a commit, 300 s each.
LATER_S = 3600.0


async def _busy(state: Running) -> TP:
    """A partition of which twenty records are handled and committed, with five more at the broker."""
    await state.produce(20)
    await until(lambda: len(state.offsets) == 20, "the records")
    await state.consumer.commit()
    assert await state.committed() == 20
    tp = TP(state.topic, 0)
    fetched = state.consumer._thread._consumer._fetcher._subscriptions.subscription.assignment.state_value(tp)
    fetched.highwater += 5
    return tp


async def test_work_done_in_batches_is_no_error(noida: str, caplog: pytest.LogCaptureFixture) -> None:
    async with running(noida) as state:
        tp = await _busy(state)
        with caplog.at_level(logging.ERROR):
            state.consumer.verify_event_path(time.monotonic() + LATER_S, tp)
        assert caplog.text == ""


async def test_faust_still_raises_the_alarm(noida: str, caplog: pytest.LogCaptureFixture) -> None:
    """When this fails Faust has mended it: delete the correction."""
    async with running(noida) as state:
        tp = await _busy(state)
        with caplog.at_level(logging.ERROR):
            AIOKafkaConsumerThread.verify_event_path(state.consumer._thread, time.monotonic() + LATER_S, tp)
        assert str(tp) in caplog.text
