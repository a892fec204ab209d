"""Rule files and the policy are edited while the worker runs."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from streams.policy import POLICY_FILE, Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send

pytestmark = pytest.mark.parametrize("broker", ["noida"], indirect=True)

NEW_RULE = """\
format: 1
rules:
  - id: test.new_word
    description: A word that no shipped rule knows.
    domain: off_platform_payment
    owner: test@example.com
    severity: high
    score: 80
    mode: active
    applies_to: {type: message}
    match:
      any: [モノペイ]
    tests:
      should_match: [{text: モノペイで払えますか}]
      should_not_match: [{text: コンビニで払えますか}]
"""


async def _reloaded(worker: WorkerProcess, before: str, *, refused: bool = False) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while True:
        _, body = await asyncio.to_thread(worker.get, "/rules")
        if refused and json.loads(body)["refused"]:
            return dict(json.loads(body))
        if not refused and body != before and not json.loads(body)["refused"]:
            return dict(json.loads(body))
        assert time.monotonic() < deadline, f"not reloaded: {body}\n{worker.log()[-2000:]}"
        await asyncio.sleep(0.2)


async def test_a_new_rule_takes_effect_and_a_bad_one_changes_nothing(
    settings: Settings, policy: Policy, rules_dir: Path, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await send(settings, [message("before", "モノペイあります", transaction_id="t1")])
    await accounted_for(settings, policy.domains)
    _, before = worker.get("/rules")
    (rules_dir / "new.yaml").write_text(NEW_RULE)
    await _reloaded(worker, before)
    await send(settings, [message("after", "モノペイあります", transaction_id="t2")])
    outputs = await accounted_for(settings, policy.domains)
    fired = {m: [r["rule_id"] for r in outputs.prediction_of(m)["rules"]] for m in ("before", "after")}
    assert fired == {"before": [], "after": ["test.new_word"]}
    versions = {outputs.prediction_of(m)["ruleset"] for m in ("before", "after")}
    assert len(versions) == 2, "alerts and predictions name the rule set that judged them"

    _, good = worker.get("/rules")
    (rules_dir / "new.yaml").write_text(NEW_RULE.replace("mode: active", "mode: actve"))
    state = await _reloaded(worker, good, refused=True)
    (issue,) = state["refused"]
    assert (Path(issue["path"]).name, issue["line"], issue["hint"]) == (
        "new.yaml",
        9,
        'did you mean "active"?',
    )
    await send(settings, [message("still", "モノペイあります", transaction_id="t3")])
    outputs = await accounted_for(settings, policy.domains)
    assert [r["rule_id"] for r in outputs.prediction_of("still")["rules"]] == ["test.new_word"]


async def test_a_threshold_is_changed_and_a_model_that_is_not_served_is_refused(
    settings: Settings, policy: Policy, rules_dir: Path, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    path = rules_dir / POLICY_FILE
    text = path.read_text()
    champion = policy.domains["harassment"].champion
    assert champion is not None
    _, before = worker.get("/rules")
    path.write_text(text.replace("message_harassment, version: 1", "message_harassment, version: 77"))
    state = await _reloaded(worker, before, refused=True)
    assert "message_harassment" in json.dumps(state["refused"])
    assert "not served" in json.dumps(state["refused"])

    every = text.replace(f"threshold: {champion.threshold}", "threshold: 0.000001")
    assert every != text
    path.write_text(every)
    await _reloaded(worker, before)
    await send(settings, [message("m1", "よろしくお願いします")])
    outputs = await accounted_for(settings, policy.domains)
    assert "harassment" in {alert["domain"] for alert in outputs.alerts_of("m1")}


async def test_a_domain_added_while_running_gets_its_topic(
    settings: Settings, policy: Policy, rules_dir: Path, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    _, before = worker.get("/rules")
    path = rules_dir / POLICY_FILE
    addition = (
        "  account_takeover:\n    title: Asks for a code\n    applies_to: message\n    severity: critical\n"
    )
    (rules_dir / "new.yaml").write_text(NEW_RULE.replace("off_platform_payment", "account_takeover"))
    path.write_text(path.read_text().rstrip("\n") + "\n" + addition)
    await _reloaded(worker, before)
    await send(settings, [message("m1", "モノペイあります")])
    outputs = await accounted_for(settings, [*policy.domains, "account_takeover"])
    assert [a["domain"] for a in outputs.alerts_of("m1")].count("account_takeover") == 1
