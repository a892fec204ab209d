"""The whole circle: traffic, alerts, moderators who err, labels, a new model, its trial, its promotion, and better alerts.

The first champion is weak on purpose: it has learnt from few examples for a short time, as a first model does. Nobody
tells the second one anything but what moderators decided about the first one's alerts, the rules' and the patrol's.
Precision@K is then measured against the generator's truth, which neither moderators nor models know.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import orjson
import pytest
import pytest_asyncio

from marketplace.conversations import Mix
from marketplace.examples import windows
from marketplace.traffic import Pace, TrafficEvent, traffic
from models.data.datasets import message_set
from models.evaluation.metrics import precision_at
from models.export.graph import run, session
from streams.embedded.triton import EmbeddedTriton
from streams.features.tensors import MESSAGE_BUCKETS, message_batch
from streams.features.tokens import TextPipeline
from streams.kafka import topics
from streams.kafka.clients import consumer
from streams.kafka.reading import assign_all, present_ends
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings
from tests.integration.conftest import RunningBroker
from tests.integration.kafka_records import everything_in
from tests.integration.moderators import Decided, decide
from tests.integration.test_models_under_traffic import decides
from tests.integration.worker import conftest as worker_fixtures
from tests.integration.worker.conftest import ROOT, StartWorker
from tests.integration.worker.traffic import send

pytestmark = [
    pytest.mark.parametrize("broker", ["noida"], indirect=True),
    pytest.mark.train,
    pytest.mark.timeout(1500),
]

start_worker = worker_fixtures.start_worker

DOMAIN = "off_platform_payment"
MODEL = f"message_{DOMAIN}"
#: Far more violations than in life, so that a few thousand messages hold enough of them.
MIX = Mix(violation_share=0.25, near_miss_share=0.08)
#: Messages that the first champion learns from, of each stretch of traffic, and how fast they are sent.
FIRST, LEARNT_FROM, TRIED_ON, MEASURED_ON, RATE = 2500, 6000, 3000, 2000, 200.0
#: Shares of the first stretch on which the first champion alerts, and of the trial's on which each of the two does.
WATCHED, TRIED = 0.15, 0.05
#: Of the highest scores of a stretch. The last stretch is the shortest, so K reaches deepest there: no favour to the
#: model that scores it.
K = 100

MANIFEST = """\
name: {model}
kind: message
system: kimcnn_bigru
domain: {domain}
data: messages
sampling: {{negatives_per_positive: 3}}
training: {{epochs: {epochs}, batch_size: 16, learning_rate: 0.002, final_learning_rate: 2.0, patience: {patience}}}
threshold: {{precision: 0.5}}
"""
POLICY = """\
format: 1
patrol: {{share: {{message: 0.02}}}}
domains:
  {domain}:
    title: Asks to pay or trade outside the marketplace
    applies_to: message
    severity: high
    champion: {{model: {model}, version: 1, threshold: {champion}}} # kept by people
{challenger}    budget: {{alerts_per_day: {budget}}}
"""


class Operator:
    """Somebody at a terminal with the worker's settings; each command is a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")},
            "SEKISHO_BROKER": settings.broker,
            "SEKISHO_TRITON": settings.triton,
            "SEKISHO_TRITON_TIMEOUT_S": "20",
            "SEKISHO_TOPIC_PREFIX": settings.topic_prefix,
            "SEKISHO_PARTITIONS": str(settings.partitions),
            "SEKISHO_MODEL_REPOSITORY": str(settings.model_repository),
            "SEKISHO_RULES_DIR": str(settings.rules_dir),
            "SEKISHO_RULES_POLL_S": str(settings.rules_poll_s),
            "SEKISHO_DATA_DIR": str(settings.data_dir),
        }

    async def sekisho(self, *arguments: str | Path) -> str:
        """What the command says on standard output."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.cli", *map(str, arguments),
            env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, errors = await child.communicate()
        assert child.returncode == 0, f"{arguments}: {child.returncode}: {said.decode()}{errors.decode()}"
        return said.decode()


def stretch(seed: int, count: int, start: datetime) -> list[TrafficEvent]:
    """Successive messages of generated conversations, half a second apart by their own times."""
    pace = Pace(events_per_s=2.0, listing_share=0.0)
    return list(islice(traffic(seed, start=start, pace=pace, messages=MIX), count))


def truth_of(events: Sequence[TrafficEvent]) -> dict[str, dict[str, int]]:
    return {event.value["message_id"]: event.labels for event in events}


def threshold_for(model: Path, events: Sequence[TrafficEvent], share: float) -> float:
    """The score that so large a share of past events reaches: what they were scored is not asked of anybody."""
    opened = session(onnx.load(model), threads=1)
    features = message_set(windows(events), TextPipeline()).features
    scores = [
        float(run(opened, dict(message_batch([one], MESSAGE_BUCKETS[-1])))["score"].item())
        for one in features
    ]
    return round(float(np.quantile(scores, 1 - share)), 4)


async def scored(settings: Settings, count: int, within_s: float = 300.0) -> None:
    """Wait until there are so many predictions."""
    deadline = time.monotonic() + within_s
    async with consumer(settings) as client:
        partitions = await assign_all(client, [settings.topic("predictions")])
        while True:
            ends = await present_ends(client, partitions)
            if sum(ends.values()) >= count:
                return
            assert time.monotonic() < deadline, f"{sum(ends.values())} of {count} predictions"
            await asyncio.sleep(1)


async def bodies(settings: Settings, topic: str) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in await everything_in(settings, settings.topic(topic))]


async def alerts(settings: Settings, seen: set[str]) -> list[dict[str, Any]]:
    """The newest revision of each alert that is not among `seen`, which then holds it."""
    newest: dict[str, dict[str, Any]] = {}
    for name in (DOMAIN, "patrol"):
        for alert in await bodies(settings, f"alerts.{name}"):
            if alert["alert_id"] not in seen:
                newest[alert["alert_id"]] = alert
    seen.update(newest)
    return list(newest.values())


async def precision_at_k(
    settings: Settings, events: Sequence[TrafficEvent], version: int
) -> tuple[float, int]:
    """Precision among the K messages of a stretch that a version scored highest, by the truth; and how many it scored."""
    truth = truth_of(events)
    found = {
        prediction["subject"]["message_id"]: score["score"]
        for prediction in await bodies(settings, "predictions")
        for score in prediction["scores"]
        if score["version"] == str(version) and prediction["subject"]["message_id"] in truth
    }
    labels = np.array([truth[identity][DOMAIN] for identity in found], np.float32)
    return precision_at(labels, np.array(list(found.values()), np.float64), K), len(found)


def write_policy(settings: Settings, **values: Any) -> Policy:
    text = POLICY.format(**{"domain": DOMAIN, "model": MODEL, "challenger": "", **values})
    path = Path(settings.rules_dir) / POLICY_FILE
    parsed, issues = parse_policy(text.encode(), str(path))
    assert parsed is not None, issues
    path.write_text(text)
    return parsed


@pytest.fixture
def triton(tmp_path: Path) -> Iterator[EmbeddedTriton]:
    """A server of this test alone, not started yet: its first model is still to be trained."""
    (tmp_path / "repository").mkdir()
    with_models = EmbeddedTriton(tmp_path / "repository", data_dir=tmp_path / "triton")
    yield with_models
    with_models.stop()


@pytest_asyncio.fixture
async def settings(broker: RunningBroker, triton: EmbeddedTriton, tmp_path: Path) -> AsyncIterator[Settings]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / f"{DOMAIN}.yaml").write_bytes((ROOT / "rules" / f"{DOMAIN}.yaml").read_bytes())
    made = Settings(
        broker=broker.bootstrap,
        triton=triton.grpc_address,
        triton_timeout_s=10.0,
        topic_prefix="circle.",
        partitions=4,
        rules_dir=tmp_path / "rules",
        rules_poll_s=0.5,
        model_repository=tmp_path / "repository",
        data_dir=tmp_path / "data",
    )
    outcomes = await topics.create(made, topics.catalogue(made, [DOMAIN]))
    assert all(outcome.result == "created" for outcome in outcomes), outcomes
    yield made


async def trained(operator: Operator, data: Path, out: Path, *, epochs: int, patience: int) -> Path:
    """The folder of the model that a manifest gives."""
    config = out.with_suffix(".yaml")
    config.write_text(MANIFEST.format(model=MODEL, domain=DOMAIN, epochs=epochs, patience=patience))
    await operator.sekisho("train", "message", "--config", config, "--data", data, "--out", out)
    return out / "models" / MODEL


def first_examples(directory: Path) -> Path:
    """What somebody labelled by hand before there was any model."""
    events = stretch(1, FIRST, datetime.now(UTC) - timedelta(days=3))
    lines = [json.dumps(example, ensure_ascii=False) + "\n" for example in windows(events)]
    (directory / "messages").mkdir(parents=True)
    (directory / "messages" / "examples.jsonl").write_text("".join(lines), encoding="utf-8")
    return directory


async def sent(settings: Settings, events: Sequence[TrafficEvent], so_far: int) -> int:
    """Send, wait until all are scored, and say how many that makes."""
    await send(settings, [("messages", e.key.encode(), orjson.dumps(e.value)) for e in events], rate=RATE)
    await scored(settings, so_far + len(events))
    return so_far + len(events)


async def moderated(
    settings: Settings, truth: Mapping[str, Mapping[str, int]], seen: set[str], rng: Random
) -> Decided:
    decided = decide(await alerts(settings, seen), truth, rng)
    await send(settings, decided.at_once)
    return decided


async def test_verdicts_become_a_model_that_alerts_better(
    settings: Settings, triton: EmbeddedTriton, start_worker: StartWorker, tmp_path: Path
) -> None:
    operator, rng, seen = Operator(settings), Random(5), set[str]()
    now = datetime.now(UTC)
    past = [stretch(2, LEARNT_FROM, now - timedelta(hours=2)), stretch(3, TRIED_ON, now - timedelta(hours=1))]
    past.append(stretch(4, MEASURED_ON, now - timedelta(minutes=30)))
    truth = {identity: labels for events in past for identity, labels in truth_of(events).items()}

    first = await trained(
        operator, first_examples(tmp_path / "first"), tmp_path / "weak", epochs=3, patience=3
    )
    await operator.sekisho("models", "add", "--no-load", first)
    triton.start().wait_ready()
    watched = threshold_for(first / "model.onnx", past[0][:1500], WATCHED)
    write_policy(settings, champion=watched, budget=1000)
    worker = await start_worker()

    count = await sent(settings, past[0], 0)
    decided = await moderated(settings, truth, seen, rng)
    manifest = json.loads(
        await operator.sekisho("labels", "export", "--since", "1d", "--out", tmp_path / "labels", "--json")
    )
    found = manifest["kinds"]["messages"]["domains"][DOMAIN]["train"]
    assert min(found[name] for name in ("violation", "hard_negative", "easy_negative")) > 0, found
    assert any(name.startswith("patrol") for name in found)
    assert manifest["decisions"]["contradicted"] > 0
    assert manifest["kinds"]["messages"]["read"]["left_out"]["unsure"] > 0

    second = await trained(operator, tmp_path / "labels", tmp_path / "next", epochs=30, patience=6)
    await operator.sekisho("models", "add", second)
    thresholds = [threshold_for(model / "model.onnx", past[0][:1500], TRIED) for model in (first, second)]
    challenger = f"    challenger: {{model: {MODEL}, version: 2, threshold: {thresholds[1]}}}\n"
    write_policy(settings, champion=thresholds[0], challenger=challenger, budget=2 * K)
    await decides(worker, Path(settings.rules_dir))

    await send(settings, decided.late)
    count = await sent(settings, past[1], count)
    await moderated(settings, truth, seen, rng)
    compared = json.loads(await operator.sekisho("compare", "--domain", DOMAIN, "--json"))
    print(json.dumps(compared, indent=1))
    assert compared["recommendation"]["advice"] == "promote", compared["recommendation"]
    command = shlex.split(compared["commands"][0])
    assert command[:3] == ["sekisho", "models", "promote"]
    await operator.sekisho(*command[1:])
    written = (Path(settings.rules_dir) / POLICY_FILE).read_text()
    assert "version: 2" in written
    assert "challenger" not in written
    assert "# kept by people" in written
    await decides(worker, Path(settings.rules_dir))

    await sent(settings, past[2], count)
    before = await precision_at_k(settings, past[0], 1)
    beside = [await precision_at_k(settings, past[1], version) for version in (1, 2)]
    after = await precision_at_k(settings, past[2], 2)
    print(f"precision@{K}: champion 1 {before}, beside each other {beside}, champion 2 {after}")
    assert [scored_rows for _, scored_rows in (before, *beside)] == [LEARNT_FROM, TRIED_ON, TRIED_ON]
    assert after[1] >= 0.95 * MEASURED_ON
    assert beside[1][0] > beside[0][0]
    assert after[0] > before[0]
    assert await worker.stop() == 0
