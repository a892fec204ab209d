"""What a worker wrote, tried again by `sekisho models backtest` and kept by `sekisho archive`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from streams.policy import POLICY_FILE, Policy
from streams.settings import Settings
from tests.integration.worker.conftest import ROOT, StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.traffic import generated, send

pytestmark = pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)

MODEL = "message_harassment"


async def command(settings: Settings, *arguments: str) -> dict[str, Any]:
    """What the command, as its own process, answers with `--json`."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEKISHO_")},
        "SEKISHO_BROKER": settings.broker,
        "SEKISHO_TOPIC_PREFIX": settings.topic_prefix,
        "SEKISHO_RULES_DIR": str(settings.rules_dir),
        "SEKISHO_DATA_DIR": str(settings.data_dir),
        "SEKISHO_MODEL_REPOSITORY": str(ROOT / "triton_repo"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "streams.cli", *arguments, "--json"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    answer, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    found: dict[str, Any] = json.loads(answer)
    return found


async def test_the_same_policy_and_the_same_model_would_do_what_they_did(
    settings: Settings, policy: Policy, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = await start_worker()
    events = generated(600)
    await send(settings, events)
    outputs = await accounted_for(settings, policy.domains)
    assert await worker.stop() == 0

    again = await command(settings, "models", "backtest", "--policy", str(settings.rules_dir / POLICY_FILE))
    assert sum(again["events"].values()) == len(events)
    for name, found in again["domains"].items():
        raised = {identity for domain, identity in outputs.alerts if domain == name}
        assert found["happened"]["alerts"] == found["tried"]["alerts"] == len(raised), name
        assert (found["new"]["alerts"], found["lost"]["alerts"], found["unscored"]) == (0, 0, 0), name

    champion = policy.domains["harassment"].champion
    assert champion is not None
    threshold = str(champion.threshold)
    rerun = await command(settings, "models", "backtest", MODEL, "1", "--threshold", threshold, "--rescore")
    masked = rerun["masked_input"][f"{MODEL}/1"]
    assert masked["events"] == rerun["events"]["message"]
    assert masked["decided_otherwise"] == 0
    assert masked["difference_p99"] < 0.01  # recorded scores have six digits

    kept = await command(settings, "archive", "--out", str(tmp_path / "out"))
    assert kept["all"]["unreadable"] == 0
    predictions = pq.read_table(tmp_path / "out" / "predictions")
    assert len(predictions) == len(events)
    alerts = pq.read_table(tmp_path / "out" / "alerts", columns=["alert_id", "domain"])
    rows = zip(alerts["domain"].to_pylist(), alerts["alert_id"].to_pylist(), strict=True)
    assert set(rows) >= set(outputs.alerts)
