"""`sekisho archive` on real brokers: each record once, killed or not."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pyarrow.parquet as pq
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from click.testing import CliRunner

from streams.archive import following
from streams.archive.following import archive_topics
from streams.archive.parquet import claim_of
from streams.archive.rotation import Rotation
from streams.archive.sink import Sink
from streams.archive.target import target_at
from streams.cli import main
from streams.kafka.clients import admin, producer
from streams.kafka.topics import catalogue, create
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.conftest import DOMAINS, RunningBroker
from tests.integration.kafka_records import everything_in, write
from tests.unit.archive.outputs import alert, decision, prediction

pytestmark = pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)

Place = tuple[str, int, int, bytes | None]


def archived(out: Path) -> list[Place]:
    """Every row of every file: topic, partition, offset and value."""
    found = []
    for path in out.rglob("*.parquet"):
        with path.open("rb") as file:
            topic = claim_of(file, str(path)).topic
        rows = pq.read_table(path, columns=["partition", "offset", "value"]).to_pylist()
        found += [(topic, row["partition"], row["offset"], row["value"]) for row in rows]
    return sorted(found)


async def in_kafka(settings: Settings) -> list[Place]:
    names = ["predictions", "decisions", *(f"alerts.{domain}" for domain in DOMAINS)]
    records = await everything_in(settings, *(settings.topic(name) for name in names))
    return sorted((record.topic, record.partition, record.offset, record.value) for record in records)


async def outputs(settings: Settings, numbers: range) -> None:
    """As the engine writes them: several conversations, so that all partitions have some."""
    async with producer(settings) as client:
        for number in numbers:
            key = f"t{number}".encode()
            for topic, record in (
                ("predictions", prediction(number)),
                (f"alerts.{DOMAINS[0]}", alert(number)),
                ("decisions", decision(number)),
            ):
                await client.send(settings.topic(topic), record.value, key=key)


def test_it_goes_on_where_the_files_end(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    runner = CliRunner(env=command_environment)
    assert runner.invoke(main, ["topics", "create"]).exit_code == 0
    out = tmp_path / "out"
    totals = []
    for numbers in (range(30), range(0), range(30, 40)):
        asyncio.run(outputs(kafka_settings, numbers))
        result = runner.invoke(main, ["archive", "--out", str(out), "--json"])
        assert result.exit_code == 0, result.output
        totals.append(json.loads(result.stdout)["all"]["records"])
    assert totals == [90, 0, 30]
    assert archived(out) == asyncio.run(in_kafka(kafka_settings))
    alerts = pq.read_table(out / "alerts")  # as a reader of the folder sees it
    assert set(alerts["domain"].to_pylist()) == {DOMAINS[0]}
    assert "date" in alerts.column_names
    summary = runner.invoke(main, ["archive", "--out", str(out)])
    assert f"added to {out}: 0 records, 0 files" in summary.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_without_topics_it_fails_in_either_form(
    command_environment: dict[str, str], tmp_path: Path, form: tuple[str, ...]
) -> None:
    result = CliRunner(env=command_environment).invoke(main, ["archive", "--out", str(tmp_path), *form])
    assert result.exit_code == 1
    assert "none of the topics is on" in result.stderr
    assert not form or json.loads(result.stdout)["topics"] == {}


def test_killed_again_and_again_while_records_come(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    asyncio.run(create(kafka_settings, catalogue(kafka_settings, DOMAINS)))
    out, random_s = tmp_path / "out", random.Random(7)
    command = [sys.executable, "-m", "streams.cli", "archive", "--out", str(out)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")} | command_environment
    files = 0
    for life in range(4):
        follows = subprocess.Popen(
            [*command, "--follow", "--rows", "20", "--seconds", "1"], env=environment, stderr=subprocess.PIPE
        )
        asyncio.run(outputs(kafka_settings, range(life * 100, life * 100 + 100)))
        deadline = time.monotonic() + 60
        while len(list(out.rglob("*.parquet"))) <= files:  # it writes: now it is in the middle of something
            assert follows.poll() is None, follows.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(random_s.uniform(0, 0.3))
        follows.kill()
        follows.communicate()
        files = len(list(out.rglob("*.parquet")))
    subprocess.run([*command, "--once"], env=environment, check=True, capture_output=True)
    assert archived(out) == asyncio.run(in_kafka(kafka_settings))


async def test_a_topic_that_comes_later_is_found(kafka_settings: Settings, tmp_path: Path) -> None:
    first, second = (kafka_settings.topic(f"alerts.{domain}") for domain in DOMAINS)
    await create(kafka_settings, catalogue(kafka_settings, DOMAINS[:1]))
    sink = Sink(target_at(str(tmp_path / "out")), Rotation(rows=1), time.monotonic)
    stop = asyncio.Event()
    with mock.patch.object(following, "_LOOK_S", 0.2):
        follows = asyncio.create_task(
            archive_topics(kafka_settings, ["alerts"], sink, follow=True, stop=stop)
        )
        await write(kafka_settings, first, [Outgoing(b"a", alert(0).value or b"")])
        await create(kafka_settings, catalogue(kafka_settings, DOMAINS))
        await write(kafka_settings, second, [Outgoing(b"b", alert(1).value or b"")])
        async with asyncio.timeout(60):
            while sum(tally.records for tally in sink.tallies.values()) < 2:
                assert not follows.done(), await follows
                await asyncio.sleep(0.1)
        stop.set()
        await follows
    assert {topic for topic, *_ in archived(tmp_path / "out")} == {first, second}


def test_what_retention_took_first_is_said(
    broker: RunningBroker, kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    if broker.kind != "kafka":
        pytest.skip(f"{broker.kind} deletes no records on request")
    runner = CliRunner(env=command_environment)
    topic = kafka_settings.topic("decisions")
    asyncio.run(create(kafka_settings, catalogue(kafka_settings, DOMAINS)))
    arguments = ["archive", "--out", str(tmp_path / "out"), "--topics", "decisions"]

    async def add_and_delete(numbers: range, delete_before: int) -> None:
        records = [Outgoing(b"one-key", decision(number).value or b"") for number in numbers]
        await write(kafka_settings, topic, records)
        (place,) = {(r.topic, r.partition) for r in await everything_in(kafka_settings, topic)}
        if delete_before:
            async with admin(kafka_settings) as client:
                await client.delete_records({TopicPartition(*place): RecordsToDelete(delete_before)})

    asyncio.run(add_and_delete(range(3), 0))
    assert runner.invoke(main, arguments).exit_code == 0
    asyncio.run(add_and_delete(range(3, 10), 7))
    result = runner.invoke(main, arguments)
    assert result.exit_code == 1
    assert "lost:" in result.stderr
    assert "4 offsets from 3 to 6" in result.stderr
    assert [offset for _, _, offset, _ in archived(tmp_path / "out")] == [0, 1, 2, 7, 8, 9]
    assert runner.invoke(main, arguments).exit_code == 0


def test_a_second_one_is_refused_and_no_topics_is_said(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    runner = CliRunner(env=command_environment)
    with target_at(str(tmp_path)).alone():
        busy = runner.invoke(main, ["archive", "--out", str(tmp_path)])
    assert busy.exit_code == 1
    assert "another command is changing" in busy.stderr
    none = runner.invoke(main, ["archive", "--out", str(tmp_path)])
    assert none.exit_code == 1
    assert "sekisho topics create" in none.stderr
    unknown = runner.invoke(main, ["archive", "--out", "nosuch://place"])
    assert unknown.exit_code == 1
    assert "nosuch" in unknown.stderr
