"""Real traffic through `sekisho produce`: every line of the example data sets arrives, on Tansu and Apache Kafka."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.events import BadRecord, decode_listing, decode_message
from streams.kafka.clients import consumer
from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since
from streams.settings import Settings

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        "SEKISHO_DATA_SETS" not in os.environ, reason="SEKISHO_DATA_SETS names no directory of data sets"
    ),
    pytest.mark.parametrize("broker", ["tansu", "kafka"], indirect=True),
]

#: Topic, file below SEKISHO_DATA_SETS, how many at most, and how many of them the engine will have to put aside.
#: One poster names so many directors that its `seller_id` is longer than the contract's 256 characters.
FILES = [
    ("messages", "messages/open2ch.jsonl", None, 0),
    ("messages", "messages/convabuse/test.jsonl", None, 0),
    ("listings", "listings/legit.jsonl", None, 0),
    ("listings", "listings/darknet/test.jsonl", None, 0),
    ("listings", "listings/posters/test.jsonl", 1500, 1),
]


@pytest.mark.parametrize(("topic", "name", "limit", "unusable"), FILES, ids=[name for _, name, *_ in FILES])
def test_every_line_arrives_and_can_be_used(
    kafka_settings: Settings,
    command_environment: dict[str, str],
    topic: str,
    name: str,
    limit: int | None,
    unusable: int,
) -> None:
    path = Path(os.environ["SEKISHO_DATA_SETS"]) / name
    runner = CliRunner(env=command_environment)
    assert runner.invoke(main, ["topics", "create"]).exit_code == 0
    options = [] if limit is None else ["--count", str(limit)]

    result = runner.invoke(main, ["produce", str(path), "--topic", topic, "--json", *options])

    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["failed"], summary["refused"]) == (0, 0)
    assert summary["sent"] == (limit or _events_in(path))
    arrived = asyncio.run(_reasons(kafka_settings, topic))
    assert arrived == Counter(
        {"": summary["sent"] - unusable, **({"bad_value": unusable} if unusable else {})}
    )


def _events_in(path: Path) -> int:
    with path.open() as lines:
        return sum(len(body.get("messages", [None])) for body in map(json.loads, lines))


async def _reasons(settings: Settings, topic: str) -> Counter[str]:
    """What the engine makes of each record: the reason it is put aside for, empty where it is usable."""
    decode = decode_message if topic == "messages" else decode_listing
    reasons: Counter[str] = Counter()
    async with consumer(settings) as client:
        ends = await present_ends(client, await assign_all(client, [settings.topic(topic)]))
        starts = await starts_since(client, ends, None)
        async for record in records_until_now(client, starts, ends):
            try:
                decode(record.value, key=record.key, timestamp_us=record.timestamp * 1000)
            except BadRecord as bad:
                reasons[bad.reason] += 1
            else:
                reasons[""] += 1
    return reasons
