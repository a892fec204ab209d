"""Triton away, a worker killed, the broker away, output refused: nothing is lost, and rules go on alerting."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.embedded.triton import EmbeddedTriton
from streams.policy import Policy
from streams.settings import Settings
from tests.integration.kafka_records import set_topic_config
from tests.integration.worker.conftest import ROOT, StartWorker
from tests.integration.worker.outputs import Outputs, accounted_for, read_outputs, windows_by_hand
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import generated, listing, message, send

CONTACT = "LINE交換しませんか"


async def _until(condition, what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        await asyncio.sleep(0.3)


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_while_triton_is_away_rules_alert_and_the_rest_follows_when_it_is_back(
    settings: Settings, policy: Policy, tmp_path: Path
) -> None:
    server = EmbeddedTriton(ROOT / "triton_repo", data_dir=tmp_path / "triton").start().wait_ready()
    own = settings.model_copy(update={"triton": server.grpc_address})
    worker = WorkerProcess(own).start()
    try:
        await worker.wait_ready()
        server.kill()
        events = [message(f"m{n}", CONTACT, transaction_id=f"t{n}") for n in range(20)]
        events += [listing(f"l{n}", "普通の鞄です") for n in range(10)]
        await send(settings, events)

        async def all_alerted() -> bool:
            return len((await read_outputs(settings, policy.domains)).alerts) >= 20

        await _until(all_alerted, "alerts by rules")
        during = await read_outputs(settings, policy.domains)
        assert not during.predictions
        assert all(
            e["by"] == "rule" for alerts in during.alerts.values() for a in alerts for e in a["evidence"]
        )
        assert worker.ready()["triton"] == "away" or worker.ready()["ready"]

        server = (
            EmbeddedTriton(ROOT / "triton_repo", data_dir=tmp_path / "triton2", ports=server.ports)
            .start()
            .wait_ready()
        )
        outputs = await accounted_for(settings, policy.domains)
        assert len(outputs.predictions) == 30
        assert all(len(p) == 1 for p in outputs.predictions.values())
        assert all(s["score"] is not None for p in outputs.predictions.values() for s in p[0]["scores"])
        _check_revisions(outputs)
    finally:
        worker.kill()
        server.stop()


def _check_revisions(outputs: Outputs) -> None:
    for alerts in outputs.alerts.values():
        assert [a["revision"] for a in alerts] == list(range(1, len(alerts) + 1))


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_a_frozen_triton_holds_nothing_up(settings: Settings, policy: Policy, tmp_path: Path) -> None:
    server = EmbeddedTriton(ROOT / "triton_repo", data_dir=tmp_path / "triton").start().wait_ready()
    own = settings.model_copy(update={"triton": server.grpc_address, "triton_timeout_s": 0.5})
    worker = WorkerProcess(own).start()
    try:
        await worker.wait_ready()
        import os

        os.kill(server.pid, signal.SIGSTOP)
        try:
            await send(settings, [message("m1", CONTACT)])

            async def alerted() -> bool:
                return bool((await read_outputs(settings, policy.domains)).alerts)

            await _until(alerted, "the alert by rules")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        outputs = await accounted_for(settings, policy.domains)
        assert outputs.prediction_of("m1")["scores"]
        assert await worker.stop() == 0
    finally:
        worker.kill()
        server.stop()


@pytest.mark.parametrize(
    ("broker", "store"),
    [("tansu", "memory"), ("kafka", "memory"), ("kafka", "rocksdb")],
    indirect=["broker"],
)
async def test_a_killed_worker_loses_nothing_and_repeats_only_itself(
    settings: Settings, policy: Policy, start_worker: StartWorker, store: str, tmp_path: Path
) -> None:
    first, second = [
        await start_worker(name, SEKISHO_WINDOW_STORE=store, SEKISHO_DATA_DIR=str(tmp_path / name))
        for name in ("first", "second")
    ]
    events = generated(900, seed=5)
    sending = asyncio.create_task(send(settings, events, rate=150))
    await asyncio.sleep(2.5)
    first.kill()
    await sending
    outputs = await accounted_for(settings, policy.domains, timeout_s=90)
    assert len(outputs.produced) == len(events)
    by_hand = windows_by_hand(r for r in outputs.produced.values() if r.topic == settings.topic("messages"))
    for place, predictions in outputs.predictions.items():
        for again in predictions[1:]:
            assert {k: v for k, v in again.items() if k != "scored_at"} == {
                k: v for k, v in predictions[0].items() if k != "scored_at"
            }
        if place in by_hand:
            assert [m["message_id"] for m in predictions[-1]["input"]["messages"]] == by_hand[place]
    assert await second.stop() == 0


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)
async def test_output_that_kafka_refuses_stops_the_worker_with_nothing_committed(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await set_topic_config(settings, settings.topic("predictions"), {"max.message.bytes": "200"})
    await send(settings, [message("m1", "長い説明です。" * 50)])
    assert await worker.ended() == 1
    assert "stopping: MessageSizeTooLargeError" in worker.log()
    assert await _committed(settings) == 0
    await set_topic_config(settings, settings.topic("predictions"), {"max.message.bytes": "1000000"})
    await start_worker("again")
    assert len((await accounted_for(settings, policy.domains)).predictions) == 1


async def _committed(settings: Settings) -> int:
    group = f"{settings.topic_prefix}{settings.group}"
    client = AIOKafkaConsumer(bootstrap_servers=settings.broker, group_id=group, enable_auto_commit=False)
    await client.start()
    try:
        offsets = [
            await client.committed(TopicPartition(settings.topic("messages"), partition))
            for partition in range(settings.partitions)
        ]
        return sum(offset or 0 for offset in offsets)
    finally:
        await client.stop()


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_missing_topics_are_named_before_anything_starts(settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"topic_prefix": "nothing-here.", "data_dir": tmp_path / "other"})
    worker = WorkerProcess(elsewhere).start()
    try:
        assert await worker.ended() == 2
        assert "missing topics: nothing-here.listings, nothing-here.messages" in worker.log()
        assert "sekisho topics create" in worker.log()
    finally:
        worker.kill()


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_a_worker_that_starts_before_the_broker_waits_for_it(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    from streams.embedded.process import free_ports

    nowhere = settings.model_copy(update={"broker": f"127.0.0.1:{free_ports(1)[0]}"})
    worker = WorkerProcess(nowhere, "waiting").start()
    try:

        async def says_so() -> bool:
            return "waiting for Kafka" in worker.log()

        await _until(says_so, "the line about the broker")
        assert worker.get("/healthz")[0] == 200
        assert worker.get("/readyz")[0] == 503
        assert await worker.stop() == 0
    finally:
        worker.kill()
