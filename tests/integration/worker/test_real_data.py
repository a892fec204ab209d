"""Real traffic through the ordinary producer and the worker: Japanese threads, shop and darknet listings, posters.

The data sets are not part of the repository: SEKISHO_DATA_SETS names their directory.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from streams.policy import Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for, windows_by_hand

#: Records of each file in this test; SEKISHO_DATA_COUNT=0 feeds all of them.
COUNT = int(os.environ.get("SEKISHO_DATA_COUNT", "300"))
FILES = {
    "messages": ["messages/open2ch.jsonl"],
    "listings": ["listings/legit.jsonl", "listings/darknet/test.jsonl", "listings/posters/test.jsonl"],
}

pytestmark = [pytest.mark.data, pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)]


@pytest.fixture
def data_sets() -> Path:
    """Where the data sets are; skipped where they are not."""
    directory = os.environ.get("SEKISHO_DATA_SETS")
    if not directory or not Path(directory).is_dir():
        pytest.skip("SEKISHO_DATA_SETS does not name a directory of data sets")
    return Path(directory)


async def _produce(settings: Settings, path: Path, topic: str) -> dict[str, int]:
    """`sekisho produce` as a user runs it; its summary."""
    environment = {
        **os.environ,
        "SEKISHO_BROKER": settings.broker,
        "SEKISHO_TOPIC_PREFIX": settings.topic_prefix,
        "SEKISHO_PARTITIONS": str(settings.partitions),
    }
    command = [sys.executable, "-m", "streams.cli", "produce", str(path), "--topic", topic, "--json"]
    if COUNT:
        command += ["--count", str(COUNT)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-2000:]
    return dict(json.loads(out))


async def test_every_record_of_the_real_sets_is_accounted_for(
    data_sets: Path, settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    await start_worker()
    sent = 0
    for topic, files in FILES.items():
        for file in files:
            summary = await _produce(settings, data_sets / file, topic)
            assert summary["failed"] == 0
            assert summary["sent"] > 0
            sent += summary["sent"]
    outputs = await accounted_for(settings, policy.domains, timeout_s=max(120, sent / 20))
    assert len(outputs.produced) == sent
    assert not outputs.invented
    # one poster names so many people that its seller_id is longer than an id may be
    too_long = {
        place
        for place, record in outputs.produced.items()
        if len(json.loads(record.value).get("seller_id", "")) > 256
    }
    assert set(outputs.dead_letters) == too_long
    assert {letter[0].reason for letter in outputs.dead_letters.values()} <= {"bad_value"}
    assert all(len(predictions) == 1 for predictions in outputs.predictions.values())
    with_pictures = [
        place
        for place, record in outputs.produced.items()
        if json.loads(record.value).get("images") and place not in too_long
    ]
    assert with_pictures, "the posters bring their pictures"
    assert all(not outputs.predictions[place][0]["notes"] for place in with_pictures)
    print(
        f"{len(outputs.produced)} events, {len(with_pictures)} with pictures: {len(outputs.predictions)} predictions, "
        f"{len(outputs.dead_letters)} dead letters, {len(outputs.alerts)} alerts"
    )
    messages = [r for r in outputs.produced.values() if r.topic == settings.topic("messages")]
    for place, window in windows_by_hand(messages).items():
        assert [m["message_id"] for m in outputs.predictions[place][0]["input"]["messages"]] == window
