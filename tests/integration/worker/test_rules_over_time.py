"""What a running worker says and does about its rules: the safety valve, shadow rules, sets that need confirmation."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streams.cli.rules import command as rules_command
from streams.policy import POLICY_FILE, Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send

pytestmark = pytest.mark.parametrize("broker", ["noida"], indirect=True)

RULES = """\
format: 1
defaults: {domain: off_platform_payment, owner: payments@example.com}
rules:
  - id: test.everywhere
    description: A word that soon stands in every message.
    mode: active
    match: {any: [モノペイ]}
    tests: {should_match: [モノペイで]}
  - id: test.silent
    description: A rule that is only watched.
    match: {any: [ゴリラ]}
    tests: {should_match: [ゴリラで]}
  - id: test.never
    description: A word that nobody writes.
    match: {any: [カピバラ]}
    tests: {should_match: [カピバラで]}
"""


async def _status(worker: WorkerProcess, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        _, body = await asyncio.to_thread(worker.get, "/rules")
        shown = dict(json.loads(body))
        if wanted(shown):
            return shown
        assert time.monotonic() < deadline, f"{body}\n{worker.log()[-2000:]}"
        await asyncio.sleep(0.2)


async def test_the_valve_silences_a_rule_and_shadow_rules_leave_evidence_only(
    settings: Settings, policy: Policy, rules_dir: Path, start_worker: StartWorker
) -> None:
    (rules_dir / "test.yaml").write_text(RULES, "utf-8")
    domains = (rules_dir / POLICY_FILE).read_text("utf-8")
    small = domains.replace("max_share: 0.1", "max_share: 0.5").replace(
        "over_events: 5000", "over_events: 100"
    )
    assert small != domains
    (rules_dir / POLICY_FILE).write_text(small, "utf-8")
    worker = await start_worker()
    await send(settings, [message("shadow", "ゴリラのぬいぐるみ", transaction_id="s")])
    await accounted_for(settings, policy.domains)
    await send(
        settings, [message(f"m{n}", "モノペイのぬいぐるみ", transaction_id=f"t{n}") for n in range(120)]
    )
    outputs = await accounted_for(settings, policy.domains)

    (seen,) = outputs.prediction_of("shadow")["rules"]
    assert (seen["rule_id"], seen["mode"]) == ("test.silent", "shadow")
    assert outputs.alerts_of("shadow") == []

    modes = [outputs.prediction_of(f"m{n}")["rules"][0]["mode"] for n in range(120)]
    shown = await _status(worker, lambda body: bool(body["valve"]["shadowed"]))
    tally = shown["by_rule"]["test.everywhere"]
    assert (tally["hits"], tally["alerts"]) == (120, modes.count("active"))
    assert 0 < modes.count("active") < 120
    alerted = {n for n in range(120) if outputs.alerts_of(f"m{n}")}
    assert alerted == {n for n, mode in enumerate(modes) if mode == "active"}
    (silenced,) = shown["valve"]["shadowed"]
    assert (silenced["rule_id"], silenced["owner"]) == ("test.everywhere", "payments@example.com")
    assert "test.never" in shown["never_fired"]
    assert not {"test.everywhere", "test.silent"} & set(shown["never_fired"])

    _, metrics = await asyncio.to_thread(worker.get, "/metrics")
    labels = 'domain="off_platform_payment",mode="active",rule_id="test.everywhere"'
    assert f"sekisho_rule_shadowed_by_valve{{{labels}}} 1.0" in metrics
    assert f"sekisho_rule_fired_total{{{labels}}} 120.0" in metrics
    never = 'domain="off_platform_payment",mode="shadow",rule_id="test.never"'
    assert f"sekisho_rule_fired_total{{{never}}} 0.0" in metrics
    await asyncio.sleep(1.5)  # the log follows within a second
    assert "is set to SHADOW" in worker.log()


async def test_a_set_that_loses_many_rules_waits_for_a_person(
    settings: Settings, rules_dir: Path, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    before = await _status(worker, lambda body: True)
    for name in ("harassment.yaml", "off_platform_payment.yaml"):
        (rules_dir / name).unlink()
    refused = await _status(worker, lambda body: bool(body["refused"]))
    assert [issue["code"] for issue in refused["refused"]] == ["rules.shrunk"]
    assert refused["ruleset"] == before["ruleset"]
    _, metrics = await asyncio.to_thread(worker.get, "/metrics")
    assert "sekisho_rules_reload_failures_total 1.0" in metrics
    result = await asyncio.to_thread(CliRunner().invoke, rules_command, ["accept", str(rules_dir)])
    assert result.exit_code == 0, result.output
    after = await _status(worker, lambda body: not body["refused"])
    assert after["ruleset"] != before["ruleset"]
    assert after["rules"]["active"] < before["rules"]["active"]
