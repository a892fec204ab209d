"""From scores to alerts, predictions and rescoring: what is raised, when it is put aside, what is raised again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from streams import rescoring
from streams.alerts import RuleEvidence, Screened, alert_id, message_subject
from streams.conclusion import announce, conclude
from streams.events import BadRecord, Message, Position
from streams.features.tensors import WindowFeatures
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion
from streams.rulebook import LiveRulebook, Rulebook
from streams.screening import Case, Source, wanted_models
from streams.windows import Turn

POLICY = """\
format: 1
domains:
  contact_exchange:
    title: Contact
    applies_to: message
    severity: high
    champion: {model: message_contact_exchange, version: 1, threshold: 0.9}
    challenger: {model: message_contact_exchange, version: 2, threshold: 0.8}
  harassment:
    title: Harassment
    applies_to: message
    severity: medium
    champion: {model: message_harassment, version: 4, threshold: 0.5}
"""
CONTACT, CHALLENGER = ModelVersion("message_contact_exchange", 1), ModelVersion("message_contact_exchange", 2)
HARASSMENT = ModelVersion("message_harassment", 4)
LOW = {CONTACT: ModelScore(0.1), CHALLENGER: ModelScore(0.1), HARASSMENT: ModelScore(0.1)}
RULE = RuleEvidence("contact_exchange", "contact.line", "v", "active", "medium", 70, ())
HOUR_US = 3_600_000_000


@pytest_asyncio.fixture
async def rulebook(tmp_path: Path) -> Rulebook:
    (tmp_path / "domains.yaml").write_text(POLICY)
    live = LiveRulebook(tmp_path, poll_s=60)
    await live.start()
    await live.stop()
    return live.current


@pytest.fixture
def case(rulebook: Rulebook) -> Case:
    message = Message(message_id="m1", transaction_id="t1", writer="buyer", text="LINE")
    return Case(
        screened=Screened(
            subject=message_subject(message),
            position=Position("messages", 0, 5),
            event_at_us=0,
            notes=(),
            rules=(RULE,),
            shown={"messages": []},
            ruleset="r",
            policy="p",
        ),
        source=Source(Position("messages", 0, 5), 1_000_000, b"t1", b"{}", (("h", b"\xff"),)),
        rulebook=rulebook,
        wanted=wanted_models(rulebook.policy, "message"),
        features=WindowFeatures((np.array([1], np.int64),), (1,), 0),
        turns=(Turn(5, "m1", 7, "buyer", "LINE"),),
    )


def finish(case: Case, outcomes: dict[ModelVersion, ModelScore | ModelFailure], *, now_us: int = 2_000_000):
    return conclude(case, outcomes, notes=("n",), now_us=now_us, rescore_max_age_us=HOUR_US)


def test_champions_and_challengers_are_wanted_in_the_order_of_the_policy(case: Case) -> None:
    assert [(w.domain, w.role, w.model, w.threshold) for w in case.wanted] == [
        ("contact_exchange", "champion", CONTACT, 0.9),
        ("contact_exchange", "challenger", CHALLENGER, 0.8),
        ("harassment", "champion", HARASSMENT, 0.5),
    ]


def test_one_alert_per_domain_with_all_evidence(case: Case) -> None:
    scores = {CONTACT: ModelScore(0.95), CHALLENGER: ModelScore(0.7), HARASSMENT: ModelScore(0.6)}
    conclusion = finish(case, scores)
    assert [(domain, [e["by"] for e in alert["evidence"]]) for domain, alert in conclusion.alerts] == [
        ("contact_exchange", ["rule", "model"]),
        ("harassment", ["model"]),
    ]
    assert {alert["severity"] for _, alert in conclusion.alerts} == {"high", "medium"}
    assert conclusion.prediction is not None
    assert len(conclusion.prediction["scores"]) == 3
    assert conclusion.prediction["alerts"] == [
        alert_id(case.screened.subject, d) for d in ("contact_exchange", "harassment")
    ]
    assert conclusion.raised_by == (
        ("contact_exchange", "rule"),
        ("contact_exchange", "model"),
        ("harassment", "model"),
    )
    assert not conclusion.aside


def test_models_away_put_the_event_aside_while_rules_alert(case: Case) -> None:
    away = dict.fromkeys(LOW, ModelFailure("unavailable", retriable=True))
    conclusion = finish(case, away)
    assert conclusion.aside
    assert conclusion.prediction is None
    assert [domain for domain, _ in conclusion.alerts] == ["contact_exchange"]
    assert conclusion.revision == 1


def test_a_failure_of_one_row_is_recorded_and_not_tried_again(case: Case) -> None:
    conclusion = finish(case, {**LOW, HARASSMENT: ModelFailure("not_finite", retriable=False)})
    assert not conclusion.aside
    assert conclusion.prediction is not None
    failed = [s for s in conclusion.prediction["scores"] if "failure" in s]
    assert [(s["model"], s["score"], s["failure"]) for s in failed] == [
        ("message_harassment", None, "not_finite")
    ]


def test_after_the_rules_spoke_alone_only_new_evidence_makes_a_revision(case: Case) -> None:
    first = announce(case, now_us=1)
    assert [(d, a["revision"]) for d, a in first.alerts] == [("contact_exchange", 1)]
    case.revision, case.alerted = first.revision, first.alerted
    assert not case.impatient
    quiet = finish(case, LOW)
    assert quiet.alerts == ()
    assert quiet.prediction is not None
    assert quiet.prediction["alerts"], "the prediction still names the alert that is out"
    loud = finish(case, {**LOW, CONTACT: ModelScore(0.95)})
    assert [(d, a["revision"], [e["by"] for e in a["evidence"]]) for d, a in loud.alerts] == [
        ("contact_exchange", 2, ["rule", "model"])
    ]
    assert loud.alerts[0][1]["alert_id"] == first.alerts[0][1]["alert_id"]


def test_a_challenger_alone_raises_the_alert_and_says_so(case: Case) -> None:
    quiet_rules = replace(case.screened, rules=())
    case.screened = quiet_rules
    conclusion = finish(case, {**LOW, CHALLENGER: ModelScore(0.85)})
    assert [e["role"] for e in conclusion.alerts[0][1]["evidence"]] == ["challenger"]


def test_rescoring_gives_up_after_its_time_and_says_so(case: Case) -> None:
    away = dict.fromkeys(LOW, ModelFailure("unavailable", retriable=True))
    case.put_aside_at_us = 0
    assert finish(case, away, now_us=HOUR_US).aside
    conclusion = finish(case, away, now_us=HOUR_US + 1)
    assert conclusion.prediction is not None
    assert conclusion.prediction["notes"] == ["n", "models_unavailable"]


def test_an_event_put_aside_comes_back_as_it_was(case: Case) -> None:
    value = rescoring.encode(case, revision=1, alerted=frozenset({"rule:a:b"}), now_us=42)
    item = rescoring.decode(value)
    assert item.source == case.source
    assert item.turns == case.turns
    assert (item.kind, item.revision, item.alerted, item.put_aside_at_us, item.attempts) == (
        "message",
        1,
        ("rule:a:b",),
        42,
        1,
    )
    case.put_aside_at_us, case.attempts = item.put_aside_at_us, item.attempts
    again = rescoring.decode(rescoring.encode(case, revision=1, alerted=frozenset(), now_us=99))
    assert (again.put_aside_at_us, again.attempts) == (42, 2)


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"{}", b'{"format": 1}'])
def test_a_foreign_rescore_record_is_refused(value: bytes | None) -> None:
    with pytest.raises(BadRecord, match="bad_rescore"):
        rescoring.decode(value)


def test_a_rescore_record_of_a_newer_engine_is_refused(case: Case) -> None:
    value = rescoring.encode(case, revision=0, alerted=frozenset(), now_us=0).replace(
        b'"format":1', b'"format":2'
    )
    with pytest.raises(BadRecord, match="unknown_version"):
        rescoring.decode(value)
