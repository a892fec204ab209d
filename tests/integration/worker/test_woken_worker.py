"""A worker that wakes writes an old state of a window last: who takes over next still has the whole window."""

from __future__ import annotations

import pytest

from streams.kafka.clients import producer
from streams.kafka.topics import windows_changelog
from streams.policy import Policy
from streams.settings import Settings
from tests.integration.kafka_records import everything_in
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.traffic import message, send


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_the_newest_state_is_recovered_not_the_last(
    settings: Settings, policy: Policy, start_worker: StartWorker, store: str
) -> None:
    worker = await start_worker("first", SEKISHO_WINDOW_STORE="memory")
    for number in range(3):
        await send(settings, [message(f"m{number}", "まだありますか")])
        await accounted_for(settings, policy.domains)
    first, *_ = await everything_in(settings, windows_changelog(settings))
    assert await worker.stop() == 0
    async with producer(settings) as client:
        await client.send_and_wait(first.topic, first.value, key=first.key, partition=first.partition)

    await start_worker("second", SEKISHO_WINDOW_STORE=store)
    await send(settings, [message("m3", "はい、あります")])
    outputs = await accounted_for(settings, policy.domains)
    shown = outputs.prediction_of("m3")["input"]["messages"]
    assert [turn["message_id"] for turn in shown] == ["m0", "m1", "m2", "m3"]
