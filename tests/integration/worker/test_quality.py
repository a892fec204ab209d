"""Verdicts on real alerts: every worker shows the same quality of the whole fleet, also one that was just started."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

import orjson
import pytest

from streams.events import rfc3339
from streams.policy import Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.pages import Page, page_of
from tests.integration.worker.traffic import generated, message, send

Decided = tuple[str, bytes, bytes]


def decision(alert_id: str, verdict: str, *, seconds_ago: float = 0.0) -> Decided:
    body = {
        "alert_id": alert_id,
        "verdict": verdict,
        "moderator_id": "mod-1",
        "decided_at": rfc3339(time.time_ns() // 1000 - int(seconds_ago * 1e6)),
    }
    return "decisions", alert_id.encode(), orjson.dumps(body)


def counted(page: Page) -> dict[str, Any]:
    """What must be the same on every worker: all but the moment, and what each has read."""
    decisions = {name: n for name, n in page["decisions"].items() if name != "repeated"}
    return {"domains": page["domains"], "decisions": decisions}


async def printed(settings: Settings) -> Page:
    """What `sekisho quality --json` prints, as a process of its own."""
    environment = {
        **os.environ,
        "SEKISHO_BROKER": settings.broker,
        "SEKISHO_TOPIC_PREFIX": settings.topic_prefix,
        "SEKISHO_RULES_DIR": str(settings.rules_dir),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams.cli", "quality", "--json"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    page: Page = json.loads(output)
    return page


@pytest.mark.parametrize("broker", ["tansu", "kafka"], indirect=True)
async def test_all_workers_show_the_same_quality_and_a_new_one_too(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    first, second = await start_worker("first"), await start_worker("second")
    stress = message("stress-1-1", "LINEで話しましょう ID: abc123", transaction_id="stress-1-t")
    await send(settings, [*generated(300), stress])
    outputs = await accounted_for(settings, policy.domains)
    alerts = {
        identity: found[-1]
        for (_, identity), found in outputs.alerts.items()
        if not found[-1]["subject"].get("message_id", "").startswith("stress-")
    }
    assert len(outputs.alerts) > len(alerts), "the stress event raised an alert, too"
    bad, fine, open_ = list(alerts)[:3], list(alerts)[3:5], list(alerts)[5:]
    assert open_
    await send(
        settings,
        [
            *(decision(identity, "violation") for identity in bad),
            *(decision(identity, "no_violation") for identity in fine),
            decision(bad[0], "no_violation", seconds_ago=60),
            decision("nobody", "violation"),
        ],
    )

    def settled(page: Page) -> bool:
        """Every alert and verdict is in."""
        rows = page["domains"].values()
        judged = sum(row["violation"] + row["no_violation"] for row in rows)
        return bool(sum(row["alerts"] for row in rows) == len(alerts) and judged == 5)

    one, other = [
        await page_of(worker, "/quality", with_field="domains", settled=settled) for worker in (first, second)
    ]
    assert counted(one) == counted(other)
    assert one["reading"]["caught_up"]
    assert sum(row["violation"] for row in one["domains"].values()) == 3
    assert one["decisions"]["unknown"] == one["decisions"]["contradicted"] == 1
    by_domain: dict[str, int] = {}
    for alert in alerts.values():
        by_domain[alert["domain"]] = by_domain.get(alert["domain"], 0) + 1
    assert {name: row["alerts"] for name, row in one["domains"].items()} == by_domain

    await first.stop()
    started = await start_worker("third")
    assert counted(await page_of(started, "/quality", with_field="domains", settled=settled)) == counted(
        other
    ), "nothing lives in one process alone"
    _, exposed = started.get("/metrics")
    assert "sekisho_quality_alerts{" in exposed

    assert counted(await printed(settings)) == counted(other)
