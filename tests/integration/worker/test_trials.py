"""A challenger's way from shadow over canary to champion, and the patrol, with two workers and a restart."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.alerts import alert_id, message_subject
from streams.conclusion import drawn
from streams.events import Message
from streams.policy import POLICY_FILE, parse_policy
from streams.screening import wanted_models
from streams.settings import Settings
from streams.vocabulary import PATROL_DOMAIN
from tests.integration.kafka_records import everything_in
from tests.integration.worker.conftest import ROOT, StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send

pytestmark = pytest.mark.parametrize("broker", ["noida"], indirect=True)

#: Both models alert on everything that they decide, so that what decides is all there is to see. The challenger is
#: another domain's model: the mechanism does not care.
CHAMPION, CHALLENGER = "message_contact_exchange", "message_harassment"
POLICY = """\
format: 1
domains:
  contact_exchange:
    title: Exchanges contacts outside the marketplace
    applies_to: message
    severity: medium
    champion: {{model: message_contact_exchange, version: 1, threshold: 0}}  # of last year
    {challenger}
    budget: {{alerts_per_day: 1000}}
"""
TRIAL = "challenger: {{model: message_harassment, version: 1, threshold: 0, mode: {mode}}}"
CONVERSATIONS = [f"t{number}" for number in range(160)]


def policy_text(mode: str) -> str:
    return POLICY.format(challenger=TRIAL.format(mode=mode))


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    """A domain with a challenger in shadow, and no rules: what is alerted on, models alerted on."""
    directory = tmp_path / "rules"
    directory.mkdir()
    (directory / POLICY_FILE).write_text(policy_text("shadow"))
    return directory


def texts(round_: str) -> list[tuple[str, bytes, bytes]]:
    return [
        message(f"{round_}-{conversation}", "よろしくお願いします", transaction_id=conversation)
        for conversation in CONVERSATIONS
    ]


def by_challenger(mode: str) -> set[str]:
    """The conversations in which the challenger decides alone, by the policy itself."""
    policy, _ = parse_policy(policy_text(mode).encode(), POLICY_FILE)
    assert policy is not None
    chosen = set()
    for conversation in CONVERSATIONS:
        deciding = [w.role for w in wanted_models(policy, "message", conversation) if w.decides]
        if deciding == ["challenger"]:
            chosen.add(conversation)
    return chosen


def who_raised(alerts: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {tuple(e["role"] for e in alert["evidence"]) for alert in alerts}


async def changed(rules_dir: Path, text: str, *workers: WorkerProcess) -> None:
    """Put another policy live on all workers."""
    policy, issues = parse_policy(text.encode(), POLICY_FILE)
    assert policy is not None, issues
    (rules_dir / POLICY_FILE).write_text(text)
    until_s = time.monotonic() + 30
    for worker in workers:
        while policy.version not in worker.get("/rules")[1]:
            assert time.monotonic() < until_s, worker.get("/rules")[1]
            await asyncio.sleep(0.2)


async def judge(
    settings: Settings, alerts: Iterable[dict[str, Any]], verdict: Callable[[dict[str, Any]], str]
) -> None:
    decisions = []
    for alert in alerts:
        decision = {
            "alert_id": alert["alert_id"],
            "verdict": verdict(alert),
            "moderator_id": "mod-1",
            "decided_at": datetime.now(UTC).isoformat(),
            "domain": "contact_exchange",
        }
        decisions.append(("decisions", alert["alert_id"].encode(), orjson.dumps(decision)))
    await send(settings, decisions)


async def run(settings: Settings, *arguments: str) -> str:
    """`sekisho …` as a person calls it: what it printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEKISHO_")},
        "SEKISHO_BROKER": settings.broker,
        "SEKISHO_TOPIC_PREFIX": settings.topic_prefix,
        "SEKISHO_RULES_DIR": str(settings.rules_dir),
        "SEKISHO_TRITON": settings.triton,
        "SEKISHO_MODEL_REPOSITORY": str(ROOT / "triton_repo"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.cli", *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return said.decode()


async def test_from_shadow_over_canary_to_champion(
    settings: Settings, rules_dir: Path, start_worker: StartWorker
) -> None:
    path = rules_dir / POLICY_FILE
    domains = ["contact_exchange", PATROL_DOMAIN]
    one, two = await start_worker("one"), await start_worker("two")

    await send(settings, texts("shadow"))
    outputs = await accounted_for(settings, domains)
    alerts = [alert for revisions in outputs.alerts.values() for alert in revisions]
    assert who_raised(alerts) == {("champion",)}
    for prediction in (p[-1] for p in outputs.predictions.values()):
        assert [(s["role"], s.get("decides", True)) for s in prediction["scores"]] == [
            ("champion", True),
            ("challenger", False),
        ]
    shadow = json.loads(await run(settings, "compare", "--domain", "contact_exchange", "--json"))
    assert shadow["recommendation"]["advice"] == "wait"
    assert shadow["groups"]["both"]["alerts"] == len(CONVERSATIONS), "it would have raised them all"

    await changed(rules_dir, policy_text("canary, share: 0.4"), one, two)
    await send(settings, texts("canary"))
    outputs = await accounted_for(settings, domains)
    chosen = by_challenger("canary, share: 0.4")
    assert 35 < len(chosen) < 95
    for conversation in CONVERSATIONS:
        (alert,) = outputs.alerts_of(f"canary-{conversation}")
        assert who_raised([alert]) == {("challenger" if conversation in chosen else "champion",)}

    assert await two.stop() == 0
    await changed(rules_dir, policy_text("canary, share: 0.5"), one)
    three = await start_worker("three")
    await send(settings, texts("wider"))
    outputs = await accounted_for(settings, domains)
    wider = by_challenger("canary, share: 0.5")
    assert chosen < wider
    for conversation in CONVERSATIONS:
        (alert,) = outputs.alerts_of(f"wider-{conversation}")
        assert who_raised([alert]) == {("challenger" if conversation in wider else "champion",)}

    tried = [
        a
        for revisions in outputs.alerts.values()
        for a in revisions
        if "shadow" not in json.dumps(a["subject"])
    ]
    # Four of five of the challenger's are right, and two of five of the champion's.
    right = {"challenger": 4, "champion": 2}
    numbered = {a["alert_id"]: number for number, a in enumerate(tried)}
    await judge(
        settings,
        tried,
        lambda a: (
            "violation" if numbered[a["alert_id"]] % 5 < right[a["evidence"][0]["role"]] else "no_violation"
        ),
    )
    page = await run(settings, "compare", "--domain", "contact_exchange")
    assert "recommendation: promote" in page, page
    (command,) = [line.split() for line in page.splitlines() if "models promote" in line]
    assert command[:4] == ["sekisho", "models", "promote", CHALLENGER]
    await run(settings, *command[1:])
    promoted = path.read_text()
    assert "challenger" not in promoted
    assert f"champion: {{model: {CHALLENGER}, version: 1, threshold: 0.0}}  # of last year" in promoted

    await changed(rules_dir, promoted, one, three)
    await send(settings, texts("after"))
    outputs = await accounted_for(settings, domains)
    for conversation in CONVERSATIONS:
        (alert,) = outputs.alerts_of(f"after-{conversation}")
        assert [(e["model"], e["role"]) for e in alert["evidence"]] == [(CHALLENGER, "champion")]


async def test_beside_each_other_both_raise_the_same_alert(
    settings: Settings, rules_dir: Path, start_worker: StartWorker
) -> None:
    (rules_dir / POLICY_FILE).write_text(policy_text("beside"))
    await start_worker()
    await send(settings, texts("beside")[:10])
    outputs = await accounted_for(settings, ["contact_exchange"])
    alerts = [alert for revisions in outputs.alerts.values() for alert in revisions]
    assert len(alerts) == 10
    assert who_raised(alerts) == {("champion", "challenger")}
    page = json.loads(await run(settings, "compare", "--domain", "contact_exchange", "--json"))
    assert page["groups"]["both"] == {"alerts": 10, "judged": 0, "violations": 0}


async def test_the_patrol_draws_the_same_on_every_worker_and_gives_a_recall(
    settings: Settings, rules_dir: Path, start_worker: StartWorker
) -> None:
    quiet = policy_text("shadow").replace("threshold: 0}", "threshold: 1}")
    (rules_dir / POLICY_FILE).write_text(quiet + "patrol: {share: {message: 0.25}}\n")
    one = await start_worker("one")
    await start_worker("two")
    stress = message("stress-1-1", "よろしくお願いします", transaction_id="stress-1-1")
    await send(settings, [*texts("first"), stress])
    await accounted_for(settings, [PATROL_DOMAIN])
    assert await one.stop() == 0
    await start_worker("three")
    await send(settings, texts("second"))
    outputs = await accounted_for(settings, [PATROL_DOMAIN])

    expected = {}
    for round_ in ("first", "second"):
        for conversation in CONVERSATIONS:
            subject = message_subject(
                Message(
                    message_id=f"{round_}-{conversation}",
                    transaction_id=conversation,
                    writer="seller",
                    text="よろしくお願いします",
                )
            )
            if drawn(subject, 0.25):
                expected[alert_id(subject, PATROL_DOMAIN)] = subject
    assert 45 < len(expected) < 115  # 80 of 320; four standard deviations are 31
    assert {identifier for _, identifier in outputs.alerts} == set(expected)
    alerts = [revisions[-1] for revisions in outputs.alerts.values()]
    assert all(alert["evidence"] == [{"by": "patrol", "share": 0.25}] for alert in alerts)
    facts = [json.loads(r.value) for r in await everything_in(settings, settings.topic("alerted"))]
    assert {fact["alert_id"] for fact in facts} == set(expected)

    # A tenth of what was drawn is a violation after all.
    await judge(
        settings,
        alerts,
        lambda a: "violation" if sorted(expected).index(a["alert_id"]) % 10 == 0 else "no_violation",
    )
    quality = json.loads(await run(settings, "quality", "--json"))
    recall = quality["recall"]["contact_exchange"]
    found = -(-len(expected) // 10)
    assert (recall["drawn"], recall["judged"], recall["found"]) == (len(expected), len(expected), found)
    assert recall["value"] == 0.0, "nothing was alerted on"
    assert recall["missed"] == pytest.approx(found / 0.25)
