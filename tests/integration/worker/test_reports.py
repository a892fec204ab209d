"""Customers' reports through real workers: the live alert with the report in it, over a crash and with models away."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from streams.policy import Policy
from streams.settings import Settings
from tests.integration.conftest import RunningBroker
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import Outputs, accounted_for, read_outputs
from tests.integration.worker.traffic import generated, send

Alert = dict[str, Any]
AT = "2026-11-21T10:00:00Z"
#: A port on which nobody listens.
NOBODY = "127.0.0.1:1"


def report(name: str, domain: str, key: str, **reported: Any) -> tuple[str, bytes, bytes]:
    body = {"report_id": name, "reported_at": AT, "domain": domain, "reporter_id": "c1", **reported}
    return "reports", key.encode(), json.dumps(body, ensure_ascii=False).encode()


def with_content(name: str, alert: Alert, sent: dict[str, Alert]) -> tuple[str, bytes, bytes]:
    """A report of what a live alert is about, as the marketplace has it."""
    subject = alert["subject"]
    if subject["type"] == "listing":
        key = subject["listing_id"]
        return report(name, alert["domain"], key, listing=sent[key])
    *earlier, message = (sent[shown["message_id"]] for shown in alert["context"])
    return report(name, alert["domain"], subject["transaction_id"], message=message, conversation=earlier)


def held(outputs: Outputs) -> dict[str, Alert]:
    """What a subscriber has who upserts: of equal revisions the later."""
    kept: dict[str, Alert] = {}
    for alerts in outputs.alerts.values():
        for alert in alerts:
            known = kept.get(alert["alert_id"])
            if known is None or alert["revision"] >= known["revision"]:
                kept[alert["alert_id"]] = alert
    return kept


def evidence(alert: Alert, by: str) -> list[Alert]:
    return [item for item in alert["evidence"] if item["by"] == by]


def reports_in(outputs: Outputs) -> set[str]:
    """Ids of the reports that any revision of any alert speaks of."""
    return {
        item["report_id"]
        for alerts in outputs.alerts.values()
        for alert in alerts
        for item in evidence(alert, "report")
    }


async def until(
    settings: Settings, policy: Policy, holds: Callable[[Outputs], bool], *, timeout_s: float = 120.0
) -> Outputs:
    deadline = time.monotonic() + timeout_s
    while True:
        outputs = await read_outputs(settings, policy.domains)
        if holds(outputs):
            return outputs
        assert time.monotonic() < deadline, f"only {sorted(reports_in(outputs))}"
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)
async def test_reports_join_the_live_alerts_over_a_crash_and_with_models_away(
    settings: Settings, policy: Policy, start_worker: StartWorker, broker: RunningBroker
) -> None:
    worker = await start_worker("live")
    events = generated(300)
    sent = {
        body.get("message_id") or body["listing_id"]: body
        for body in (json.loads(value) for _, _, value in events)
    }
    await send(settings, events)
    live = await accounted_for(settings, policy.domains)
    assert await worker.stop() == 0

    alerts = list(held(live).values())
    by_model = [next(a for a in alerts if evidence(a, "model") and a["subject"]["type"] == kind)
                for kind in ("message", "listing")]  # fmt: skip
    by_rule = next(a for a in alerts if evidence(a, "rule") and a["subject"]["type"] == "message")
    chosen = {"of-message": by_model[0], "of-listing": by_model[1], "of-rule": by_rule}
    first = [with_content(name, alert, sent) for name, alert in chosen.items()]
    named = {"type": "message", "message_id": "unknown-to-all", "transaction_id": "t-elsewhere"}
    others = [
        report("by-ids", "harassment", "t-elsewhere", subject=named),
        report("no-domain", "mood", "t-elsewhere", subject=named),
        ("reports", b"x", b"not json"),
    ]

    # Models are away: what can be said goes out, the rest waits in `rescore` while the worker goes, killed if possible.
    worker = await start_worker("without-models", with_models=False, SEKISHO_TRITON=NOBODY)
    await send(settings, [*first, *others, *first])  # a producer that repeats itself
    await until(settings, policy, lambda o: reports_in(o) == {*chosen, "by-ids"} and len(o.rescore) >= 4)
    if broker.kind == "noida":  # it never takes a member for dead
        assert await worker.stop() == 0
    else:
        worker.kill()

    await start_worker("a")
    await start_worker("b")
    again = [with_content("second-of-message", by_model[0], sent)]
    await send(settings, again)
    wanted = {by_model[0]["alert_id"]: "second-of-message", by_model[1]["alert_id"]: "of-listing"}
    outputs = await until(
        settings,
        policy,
        lambda o: all(
            evidence(held(o)[identity], "model")
            and [r["report_id"] for r in evidence(held(o)[identity], "report")] == [name]
            for identity, name in wanted.items()
        ),
    )

    after = held(outputs)
    for before in chosen.values():
        now = after[before["alert_id"]]
        assert now["revision"] > 1_000 > before["revision"]
        assert (now["subject"], now["context"]) == (before["subject"], before["context"])
        assert {rule["rule_id"] for rule in evidence(now, "rule")} == {
            rule["rule_id"] for rule in evidence(before, "rule")
        }
        assert len(evidence(now, "report")) == 1
    for before in by_model:
        scores = [evidence(alert, "model")[0]["score"] for alert in (before, after[before["alert_id"]])]
        assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    (by_ids,) = (a for a in after.values() if a["subject"].get("message_id") == "unknown-to-all")
    assert (by_ids["context"], [item["by"] for item in by_ids["evidence"]]) == ([], ["report"])
    assert by_ids["notes"] == ["content_missing"]
    assert after.keys() - {by_ids["alert_id"]} == held(live).keys(), "no alert in any other domain"
    assert outputs.dead_letter_reasons() == {"unknown_domain": 1, "not_json": 1}
    assert outputs.predictions == live.predictions, "each event has the prediction that it had"
