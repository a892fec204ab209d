"""Two signals at once, as `timeout` sends them, are one wish to stop: the worker still drains and commits."""

from __future__ import annotations

import signal

import pytest

from streams.policy import Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.traffic import generated, send


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_two_signals_at_once_still_let_the_worker_finish(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    worker = await start_worker("first")
    await send(settings, generated(60))
    worker.running.send_signal(signal.SIGTERM)
    assert await worker.stop() == 0
    await start_worker("second")
    outputs = await accounted_for(settings, policy.domains)
    assert all(len(predictions) == 1 for predictions in outputs.predictions.values())
