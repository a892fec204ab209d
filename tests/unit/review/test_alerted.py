"""The facts of an alert: complete for the books, and without a word of what anybody wrote."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from streams.agents.alert_outputs import alert_outputs
from streams.alerts import (
    Evidence,
    Excerpt,
    ModelEvidence,
    RuleEvidence,
    Screened,
    alert_records,
    message_subject,
)
from streams.events import Message, Position
from streams.review.alerted import ByModel, ByPatrol, ByReport, ByRule, decode, encode, facts_of, key_of
from streams.settings import Settings

AT_US = 1_700_000_000_123_000
SETTINGS = Settings(topic_prefix="p.")


def alert(message_id: str = "m9") -> tuple[Any, dict[str, Any]]:
    """A subject and its alert by a rule and a model, as the engine makes it."""
    message = Message(message_id=message_id, transaction_id="t7", writer="seller", text="LINEで")
    screened = Screened(
        message_subject(message),
        Position("messages", 3, 41),
        AT_US,
        (),
        (),
        {"messages": [{"text": "LINEで"}]},
        "r",
        "p",
    )
    found = (Excerpt("m9", "text", 0, 4, "LINE"),)
    evidence: list[Evidence] = [
        RuleEvidence("contact", "contact.line", "v", "active", "low", 7, found),
        ModelEvidence("contact", "message_contact", 3, "champion", 0.9, 0.97),
    ]
    ((_, body),) = alert_records(screened, evidence, severities={}, revision=2, now_us=AT_US + 1_000_000)
    return screened.subject, body


def test_the_facts_say_what_was_raised_when_and_by_what() -> None:
    _, body = alert()

    assert json.loads(encode(facts_of(body))) == {
        "format": 1,
        "alert_id": body["alert_id"],
        "domain": "contact",
        "revision": 2,
        "raised_at": "2023-11-14T22:13:21.123Z",
        "event_at": "2023-11-14T22:13:20.123Z",
        "subject": {"type": "message", "message_id": "m9", "transaction_id": "t7"},
        "raised_by": [
            {"by": "rule", "rule_id": "contact.line"},
            {
                "by": "model",
                "model": "message_contact",
                "version": "3",
                "role": "champion",
                "score": 0.97,
                "threshold": 0.9,
            },
        ],
    }


def test_every_kind_of_evidence_comes_back_as_it_was() -> None:
    _, body = alert()
    body["evidence"] += [{"by": "patrol", "share": 0.001}, {"by": "report", "report_id": "r1", "text": "…"}]

    facts = facts_of(body)

    assert [type(by) for by in facts.raised_by] == [ByRule, ByModel, ByPatrol, ByReport]
    assert decode(encode(facts)) == facts


def test_a_reports_facts_have_a_key_of_their_own_and_credit_the_report_alone() -> None:
    subject, body = alert()
    live = facts_of(body)
    body["revision"] = 1_000
    body["evidence"].insert(0, {"by": "report", "report_id": "r1"})

    facts = facts_of(body)

    assert facts.raised_by == (ByReport("r1"),)
    assert (key_of(live), key_of(facts)) == (
        live.alert_id.encode(),
        f"{live.alert_id}/report".encode(),
    )
    assert alert_outputs(SETTINGS, subject, body)[1].key == key_of(facts)


def test_an_alert_of_another_domain_that_a_report_led_to_keeps_what_raised_it() -> None:
    _, body = alert()
    body["revision"] = 1_000

    facts = facts_of(body)

    assert facts.raised_by == facts_of(alert()[1]).raised_by
    assert key_of(facts).endswith(b"/report")


def test_the_alert_and_its_facts_go_out_together() -> None:
    subject, body = alert()

    published, facts = alert_outputs(SETTINGS, subject, body)

    assert (published.topic, published.key) == ("p.alerts.contact", b"t7")
    assert json.loads(published.value or b"") == body
    assert (facts.topic, facts.key) == ("p.alerted", body["alert_id"].encode())
    assert decode(facts.value) == facts_of(body)
    assert "LINE" not in (facts.value or b"").decode()


def test_a_stress_runs_alerts_have_no_facts() -> None:
    outputs = alert_outputs(SETTINGS, *alert("stress-20261121T180000Z-3f9a1c-7"))

    assert [output.topic for output in outputs] == ["p.alerts.contact"]


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b'{"format":2}', b'{"format":1,"alert_id":"a"}', b"\xff"]
)
def test_what_this_version_did_not_write_is_refused(value: bytes | None) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(value)
