"""Windows of conversations that are over leave worker and changelog, and the next message begins anew."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.agents.window_table import table_key
from streams.kafka.topics import windows_changelog
from streams.policy import Policy
from streams.settings import Settings
from tests.integration.kafka_records import everything_in, set_topic_config
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.traffic import message, send

OLD = datetime.now(UTC) - timedelta(days=40)


async def _last_values(settings: Settings) -> dict[bytes, bytes | None]:
    """The changelog as compaction would leave it."""
    return {
        record.key: record.value
        for record in await everything_in(settings, windows_changelog(settings))
        if record.key is not None
    }


@pytest.mark.parametrize(
    ("broker", "store"), [("kafka", "memory"), ("kafka", "rocksdb")], indirect=["broker"]
)
async def test_a_conversation_silent_for_long_is_dropped_everywhere(
    settings: Settings, policy: Policy, start_worker: StartWorker, store: str, tmp_path: Path
) -> None:
    # The producer's timestamps count, so that a silence of 40 days need not be waited for.
    await set_topic_config(settings, settings.topic("messages"), {"message.timestamp.type": "CreateTime"})
    environment = {"SEKISHO_WINDOW_STORE": store, "SEKISHO_DATA_DIR": str(tmp_path / "first")}
    worker = await start_worker("first", **environment)
    old = [
        message(f"old{n}", "まだありますか", transaction_id=f"old{n}", sent_at=OLD.isoformat())
        for n in range(60)
    ]
    await send(settings, old, timestamp_ms=int(OLD.timestamp() * 1000))
    # Time passes in a partition only while something is said there.
    fresh = [message(f"new{n}", "はい、あります", transaction_id=f"new{n}") for n in range(60)]
    await send(settings, fresh)
    deadline = time.monotonic() + 60
    last: dict[bytes, bytes | None] = {}
    while not last or any(last[key] for key in _keys_of("old", last)):
        last = await _last_values(settings)
        assert time.monotonic() < deadline, worker.log()[-2000:]
        await asyncio.sleep(0.5)
    assert len(_keys_of("old", last)) == 60
    assert sum(1 for key in _keys_of("new", last) if last[key]) == 60
    assert "sekisho_windows_dropped_total 60.0" in (await asyncio.to_thread(worker.get, "/metrics"))[1]
    assert await worker.stop() == 0

    # Recovered by another worker: what was dropped stays dropped, what was not is there.
    await start_worker("second", SEKISHO_WINDOW_STORE=store, SEKISHO_DATA_DIR=str(tmp_path / "second"))
    await send(settings, [message("again", "まだありますか", transaction_id="old7")])
    await send(settings, [message("more", "買います", transaction_id="new7")])
    outputs = await accounted_for(settings, policy.domains)
    assert [m["message_id"] for m in outputs.prediction_of("again")["input"]["messages"]] == ["again"]
    assert [m["message_id"] for m in outputs.prediction_of("more")["input"]["messages"]] == ["new7", "more"]


def _keys_of(kind: str, changelog: dict[bytes, bytes | None]) -> list[bytes]:
    return [
        key
        for n in range(60)
        for partition in range(4)
        if (key := table_key(partition, f"{kind}{n}")) in changelog
    ]
