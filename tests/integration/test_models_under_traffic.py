"""Versions come and go, good ones and bad ones, while a worker scores steady traffic: no event notices.

Every event leaves a complete prediction, no call to Triton fails, and no prediction names a version that was not
verified before.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from streams.embedded.triton import EmbeddedTriton
from streams.inference.repository import read_golden, read_metadata
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings
from tests.integration.tiny_models import message_crash
from tests.integration.worker import conftest as worker_fixtures
from tests.integration.worker.conftest import ROOT, StartWorker
from tests.integration.worker.outputs import Outputs, accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import generated, send

# One broker: what is tested happens between the worker and Triton.
pytestmark = [
    pytest.mark.parametrize("broker", ["noida"], indirect=True),
    pytest.mark.timeout(600),  # some twenty commands, each a process of its own
]

policy = worker_fixtures.policy
rules_dir = worker_fixtures.rules_dir
settings = worker_fixtures.settings
start_worker = worker_fixtures.start_worker

MODEL = "message_harassment"
RATE = 40.0
#: Each version answers within a range of its own, so that a score tells which one gave it.
SCALE_AND_SHIFT = {2: (0.5, 0.5), 3: (0.001, 0.25)}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The shipped models, free to change."""
    return Path(shutil.copytree(ROOT / "triton_repo", tmp_path / "repository"))


@pytest.fixture
def triton(repository: Path, tmp_path: Path) -> Iterator[EmbeddedTriton]:
    """A server of this test alone."""
    with EmbeddedTriton(repository, data_dir=tmp_path / "triton") as server:
        yield server.wait_ready()


def version_of(shipped: Path, directory: Path, version: int) -> Path:
    """What training leaves: the shipped model with its score scaled and shifted, golden rows of its own."""
    scale, shift = SCALE_AND_SHIFT[version]
    model = onnx.load(shipped / "model.onnx")
    for node in model.graph.node:
        node.output[:] = ["unscaled" if name == "score" else name for name in node.output]
    model.graph.initializer.extend(
        numpy_helper.from_array(np.array(value, np.float32), name)
        for name, value in (("scale", scale), ("shift", shift))
    )
    model.graph.node.extend(
        [
            helper.make_node("Mul", ["unscaled", "scale"], ["scaled"]),
            helper.make_node("Add", ["scaled", "shift"], ["score"]),
        ]
    )
    directory.mkdir()
    (directory / "model.onnx").write_bytes(model.SerializeToString())
    metadata = dict(read_metadata(shipped).raw)
    metadata["threshold"] = round(metadata["threshold"] * scale + shift, 6)
    (directory / "metadata.json").write_text(json.dumps(metadata))
    golden = json.loads((shipped / "golden.json").read_text())
    for row in golden["rows"]:
        row["expected"]["score"] = [value * scale + shift for value in row["expected"]["score"]]
    (directory / "golden.json").write_text(json.dumps(golden))
    read_golden(directory, MODEL)
    return directory


def spoiled(good: Path, directory: Path, how: str) -> Path:
    """A copy of a good version with one fault."""
    shutil.copytree(good, directory)
    model, metadata, golden = (directory / name for name in ("model.onnx", "metadata.json", "golden.json"))
    if how == "corrupt":
        model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    elif how == "crash":
        model.write_bytes(message_crash(MODEL).SerializeToString())
    elif how == "tokeniser":
        metadata.write_text(json.dumps({**json.loads(metadata.read_text()), "tokenizer": "other/1"}))
    else:
        rows = json.loads(golden.read_text())
        rows["rows"][0]["expected"]["score"] = [0.123]
        golden.write_text(json.dumps(rows))
    return directory


class Operator:
    """Somebody at a terminal: `sekisho models …` with the worker's settings, each command its own process."""

    def __init__(self, settings: Settings, repository: Path) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")},
            "SEKISHO_TRITON": settings.triton,
            "SEKISHO_TRITON_TIMEOUT_S": "20",
            "SEKISHO_MODEL_REPOSITORY": str(repository),
            "SEKISHO_RULES_DIR": str(settings.rules_dir),
            "SEKISHO_RULES_POLL_S": str(settings.rules_poll_s),
        }

    async def models(self, *arguments: str, refused: bool = False) -> str:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.cli", "models", *arguments,
            env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said = (await child.communicate())[0].decode()
        assert child.returncode == int(refused), f"{arguments}: {child.returncode}: {said}"
        return said


class SteadyTraffic:
    """Generated events at a steady rate until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = False
        self._events = generated(20_000, seed=23, rate=RATE)
        self._task = asyncio.create_task(send(settings, self._until_stopped(), rate=RATE))

    def _until_stopped(self) -> Iterator[tuple[str, bytes, bytes]]:
        return itertools.takewhile(lambda _: not self._stopping, self._events)

    async def stop(self) -> int:
        self._stopping = True
        return await self._task


async def decides(worker: WorkerProcess, rules: Path) -> None:
    """Wait until the worker has taken up the policy that stands in the file, and scored some traffic by it."""
    written, issues = parse_policy((rules / POLICY_FILE).read_bytes(), POLICY_FILE)
    assert written is not None, issues
    wanted = f'policy="{written.version}"'
    async with asyncio.timeout(30):
        while wanted not in (await asyncio.to_thread(worker.get, "/metrics"))[1]:
            assert worker.running.poll() is None, worker.log()[-3000:]
            await asyncio.sleep(0.1)
    await asyncio.sleep(40 / RATE)


def failed_calls(worker: WorkerProcess) -> dict[str, float]:
    """Calls to Triton that did not end well, by labels, from the worker's metrics."""
    _, text = worker.get("/metrics")
    calls = dict(re.findall(r"^sekisho_triton_calls_total(\{.*\}) ([0-9.e+]+)$", text, re.MULTILINE))
    assert any('outcome="ok"' in labels for labels in calls)
    return {labels: float(count) for labels, count in calls.items() if 'outcome="ok"' not in labels}


def versions_in_order(outputs: Outputs) -> dict[tuple[str, int], list[int]]:
    """By partition, the versions that decided about harassment, one after the other, repetitions left out."""
    by_partition: dict[tuple[str, int], list[int]] = {}
    for place, predictions in sorted(outputs.predictions.items()):
        for score in predictions[-1]["scores"]:
            if score["model"] == MODEL:
                by_partition.setdefault(place[:2], []).append(int(score["version"]))
    return {
        partition: [version for version, _ in itertools.groupby(versions)]
        for partition, versions in by_partition.items()
    }


def is_subsequence(short: list[int], long: list[int]) -> bool:
    left = iter(long)
    return all(version in left for version in short)


async def test_versions_come_and_go_and_no_event_notices(
    settings: Settings,
    policy: Policy,
    rules_dir: Path,
    repository: Path,
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    operator = Operator(settings, repository)
    shipped = repository / MODEL / "1"
    good = {version: version_of(shipped, tmp_path / f"good{version}", version) for version in SCALE_AND_SHIFT}
    # The machine may be busy; patience is not what is tested.
    worker = await start_worker(SEKISHO_TRITON_TIMEOUT_S="20", SEKISHO_SCORE_DEADLINE_S="60")
    traffic = SteadyTraffic(settings)
    await decides(worker, rules_dir)

    reasons = {
        "corrupt": "model.onnx",
        "rows": "golden row 0",
        "tokeniser": "trained with tokeniser other/1",
        "crash": MODEL,
    }
    for how, reason in reasons.items():
        said = await operator.models("add", str(spoiled(good[2], tmp_path / how, how)), refused=True)
        assert reason in said
        assert f"{MODEL}/2 was taken out again" in said
    assert "no such version" in await operator.models("remove", MODEL, "2", refused=True)

    assert f"{MODEL}/2: served and checked" in await operator.models("add", str(good[2]))
    assert "is in use" in await operator.models("remove", MODEL, "1", refused=True)
    await operator.models("promote", MODEL, "2")
    # At once: the worker may still be asking for version 1, and the command waits until it does not.
    await operator.models("remove", MODEL, "1")
    await decides(worker, rules_dir)
    await operator.models("add", str(spoiled(good[3], tmp_path / "corrupt3", "corrupt")), refused=True)
    await operator.models("add", str(good[3]))
    await operator.models("promote", MODEL, "3")
    await decides(worker, rules_dir)
    await operator.models("add", "--no-load", str(good[2]))
    assert "not served" in await operator.models("promote", MODEL, "4", refused=True)
    await operator.models("promote", MODEL, "2")
    await decides(worker, rules_dir)
    await operator.models("remove", MODEL, "3")
    await asyncio.sleep(20 / RATE)

    sent = await traffic.stop()
    outputs = await accounted_for(settings, policy.domains)
    assert sent > 5 * RATE
    assert failed_calls(worker) == {}
    assert outputs.rescore == []
    assert outputs.dead_letters == {}
    assert len(outputs.predictions) == sent

    champions = {
        kind: {d.champion.model for d in policy.for_kind(kind) if d.champion}
        for kind in ("message", "listing")
    }
    ranges = {1: (0.0, 1.0), 2: (0.5, 1.0), 3: (0.25, 0.251)}
    by_policy: dict[str, set[int]] = {}
    for predictions in outputs.predictions.values():
        (prediction,) = predictions
        scores = {score["model"]: score for score in prediction["scores"]}
        assert scores.keys() == champions[prediction["subject"]["type"]]
        for score in scores.values():
            assert score["score"] is not None
            assert "failure" not in score
        if MODEL in scores:
            version = int(scores[MODEL]["version"])
            low, high = ranges[version]
            assert low <= scores[MODEL]["score"] <= high
            by_policy.setdefault(prediction["policy"], set()).add(version)
    assert all(len(versions) == 1 for versions in by_policy.values()), by_policy

    order = versions_in_order(outputs)
    assert all(is_subsequence(versions, [1, 2, 3, 2]) for versions in order.values()), order
    assert [1, 2, 3, 2] in order.values()
    assert await worker.stop() == 0
