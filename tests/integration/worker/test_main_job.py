"""The main job: records in, alerts and predictions out, on real brokers with real models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.kafka.dead_letters import DeadLetter
from streams.policy import Policy
from streams.settings import Settings
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for, windows_by_hand
from tests.integration.worker.traffic import generated, listing, message, send


async def test_every_event_is_accounted_for_with_the_right_window_and_evidence(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    events = generated(600)
    await send(settings, events)
    outputs = await accounted_for(settings, policy.domains)
    assert len(outputs.produced) == len(events)
    assert not outputs.invented
    assert not outputs.dead_letters
    assert all(len(predictions) == 1 for predictions in outputs.predictions.values())

    by_hand = windows_by_hand(r for r in outputs.produced.values() if r.topic == settings.topic("messages"))
    for place, window in by_hand.items():
        prediction = outputs.predictions[place][0]
        assert [m["message_id"] for m in prediction["input"]["messages"]] == window

    assert {
        by for alerts in outputs.alerts.values() for a in alerts for by in (e["by"] for e in a["evidence"])
    } == {
        "rule",
        "model",
    }
    for place, predictions in outputs.predictions.items():
        _check_alerts_follow_from_scores(outputs.alerts, predictions[0], policy)
        _check_scores(
            predictions[0], policy, "message" if place[0] == settings.topic("messages") else "listing"
        )
    for (domain, identity), alerts in outputs.alerts.items():
        assert len({alert["revision"] for alert in alerts}) == len(alerts), "no revision twice"
        assert any(identity in p[0]["alerts"] for p in outputs.predictions.values()), (domain, identity)
    _check_spans(outputs.alerts, outputs.produced.values())
    assert await worker.stop() == 0


def _check_scores(prediction: dict[str, Any], policy: Policy, kind: str) -> None:
    expected = {
        (d.name, d.champion.model, str(d.champion.version))
        for d in policy.domains.values()
        if d.applies_to == kind and d.champion
    }
    scores = prediction["scores"]
    assert {(s["domain"], s["model"], s["version"]) for s in scores if s["role"] == "champion"} == expected
    assert all(0.0 <= s["score"] <= 1.0 for s in scores)
    assert all((s["gate"] is not None) == (kind == "listing") for s in scores)


def _check_alerts_follow_from_scores(
    alerts: dict[tuple[str, str], list[dict[str, Any]]], prediction: dict[str, Any], policy: Policy
) -> None:
    """Exactly the domains with an active rule or a score at the threshold have an alert of this event."""
    expected = {r["domain"] for r in prediction["rules"] if r["mode"] == "active"}
    expected |= {s["domain"] for s in prediction["scores"] if s["score"] >= s["threshold"]}
    raised = {domain for domain, identity in alerts if identity in prediction["alerts"]}
    assert raised == expected
    assert len(prediction["alerts"]) == len(expected)


def _check_spans(alerts: dict[tuple[str, str], list[dict[str, Any]]], produced: Any) -> None:
    """Rule spans lie inside the original text, and the text shown for them is what stands there unless masked."""
    originals: dict[tuple[str, str], str] = {}
    for record in produced:
        event = json.loads(record.value)
        if "message_id" in event:
            originals[event["message_id"], "text"] = event["text"]
        else:
            originals[event["listing_id"], "title"] = event["title"]
            originals[event["listing_id"], "description"] = event.get("description", "")
    checked = 0
    for versions in alerts.values():
        for alert in versions:
            for evidence in alert["evidence"]:
                for span in evidence.get("spans", ()):
                    subject = span["message_id"] or alert["subject"]["listing_id"]
                    original = originals[subject, span["field"]]
                    assert 0 <= span["start"] < span["end"] <= len(original)
                    if "〈" not in span["text"]:
                        assert original[span["start"] : span["end"]] == span["text"]
                    checked += 1
    assert checked > 0


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_personal_data_is_masked_everywhere_but_in_the_input(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    await start_worker()
    secret_phone, secret_mail = "090-1234-5678", "taro.yamada@example.com"
    text = f"LINE交換しませんか {secret_phone} か {secret_mail} まで"
    await send(settings, [message("m1", text), listing("l1", "鞄", description=text)])
    await send(settings, [("messages", b"t1", b'{"broken": "' + secret_phone.encode() + b'"}')])
    outputs = await accounted_for(settings, policy.domains)
    written = json.dumps([outputs.predictions.__repr__(), outputs.alerts.__repr__()], ensure_ascii=False)
    assert outputs.alerts_of("m1"), "the rule on contact exchange fires"
    assert secret_phone not in written
    assert secret_mail not in written
    letters: list[DeadLetter] = [letter for found in outputs.dead_letters.values() for letter in found]
    assert all(secret_phone not in letter.detail for letter in letters)


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_a_stopped_worker_has_committed_everything_and_its_successor_repeats_nothing(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    first = await start_worker("first")
    await send(settings, generated(150))
    await accounted_for(settings, policy.domains)
    assert await first.stop() == 0
    second = await start_worker("second")
    await send(settings, generated(50, seed=12))
    outputs = await accounted_for(settings, policy.domains)
    assert await second.stop() == 0
    assert len(outputs.predictions) == 200
    assert all(len(predictions) == 1 for predictions in outputs.predictions.values())


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
async def test_a_conversation_goes_on_where_the_last_worker_left_it(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    first = await start_worker("first")
    await send(settings, [message(f"m{n}", "こんにちは") for n in range(4)])
    await accounted_for(settings, policy.domains)
    assert await first.stop() == 0
    await start_worker("second")
    await send(settings, [message("m4", "届きました")])
    outputs = await accounted_for(settings, policy.domains)
    window = outputs.prediction_of("m4")["input"]["messages"]
    assert [m["message_id"] for m in window] == ["m0", "m1", "m2", "m3", "m4"]
