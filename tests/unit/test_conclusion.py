"""From scores to alerts, predictions and rescoring: what is raised, when it is put aside, what is raised again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from streams import rescoring
from streams.alerts import RuleEvidence, Screened, alert_id, message_subject
from streams.conclusion import announce, conclude, drawn
from streams.events import BadRecord, Message, Position
from streams.features.tensors import WindowFeatures
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion
from streams.policy import parse_policy
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


def with_policy(case: Case, text: str) -> Case:
    """The case as it is under another policy."""
    policy, issues = parse_policy(text.encode(), "domains.yaml")
    assert policy is not None, [issue.render() for issue in issues]
    case.rulebook = replace(case.rulebook, policy=policy)
    case.wanted = wanted_models(policy, "message", case.screened.subject.key)
    return case


def canary(share: float) -> str:
    return POLICY.replace("threshold: 0.8}", f"threshold: 0.8, mode: canary, share: {share:g}}}")


def test_a_shadow_only_leaves_its_score(case: Case) -> None:
    case.screened = replace(case.screened, rules=())
    with_policy(case, POLICY.replace("threshold: 0.8}", "threshold: 0.8, mode: shadow}"))
    conclusion = finish(case, {**LOW, CHALLENGER: ModelScore(0.99)})
    assert conclusion.alerts == ()
    assert conclusion.prediction is not None
    assert [(s["role"], s["score"], s.get("decides")) for s in conclusion.prediction["scores"]] == [
        ("champion", 0.1, None),
        ("challenger", 0.99, False),
        ("champion", 0.1, None),
    ]
    beside = finish(with_policy(case, POLICY), {**LOW, CHALLENGER: ModelScore(0.99)})
    assert [domain for domain, _ in beside.alerts] == ["contact_exchange"]


def test_nobody_waits_for_a_model_that_only_watches(case: Case) -> None:
    away = ModelFailure("unavailable", retriable=True)
    assert finish(case, {**LOW, CHALLENGER: away}).aside, "beside the champion it decides"
    with_policy(case, POLICY.replace("threshold: 0.8}", "threshold: 0.8, mode: shadow}"))
    conclusion = finish(case, {**LOW, CHALLENGER: away})
    assert not conclusion.aside
    assert conclusion.prediction is not None
    assert conclusion.prediction["scores"][1]["failure"] == "unavailable"
    assert finish(case, {**LOW, CONTACT: away}).aside


@pytest.mark.parametrize(("share", "decides"), [(0, "champion"), (1, "challenger")])
def test_in_a_canary_one_of_the_two_decides(case: Case, share: float, decides: str) -> None:
    case.screened = replace(case.screened, rules=())
    with_policy(case, canary(share))
    conclusion = finish(case, {**LOW, CONTACT: ModelScore(0.99), CHALLENGER: ModelScore(0.99)})
    assert [[e["role"] for e in alert["evidence"]] for _, alert in conclusion.alerts] == [[decides]]
    assert conclusion.prediction is not None
    watching = [s["role"] for s in conclusion.prediction["scores"] if s.get("decides") is False]
    assert watching == [{"champion": "challenger", "challenger": "champion"}[decides]]


def test_a_canary_keeps_a_conversation_with_one_model_and_only_grows() -> None:
    """1,000 conversations: a share of 0.1 is 100, within four standard deviations (38); each step adds to the last."""
    chosen: list[set[str]] = []
    for share in (0.1, 0.3, 0.7):
        policy, _ = parse_policy(canary(share).encode(), "domains.yaml")
        assert policy is not None
        chosen.append(set())
        for key in (f"t{number}" for number in range(1000)):
            deciding = [w.role for w in wanted_models(policy, "message", key) if w.decides]
            assert deciding in (
                ["champion", "champion"],
                ["challenger", "champion"],
            )  # harassment has no challenger
            if deciding[0] == "challenger":
                chosen[-1].add(key)
    assert chosen[0] < chosen[1] < chosen[2]
    assert 62 < len(chosen[0]) < 138


PATROLLED = POLICY + "patrol: {share: {message: 1}}\n"


def test_what_nothing_flagged_may_be_drawn_for_review(case: Case) -> None:
    case.screened = replace(case.screened, rules=())
    conclusion = finish(with_policy(case, PATROLLED), LOW)
    ((topic, alert),) = conclusion.alerts
    assert (topic, alert["domain"], alert["severity"], alert["revision"]) == ("patrol", "patrol", "low", 1)
    assert alert["evidence"] == [{"by": "patrol", "share": 1.0}]
    assert alert["alert_id"] == alert_id(case.screened.subject, "patrol")
    assert conclusion.raised_by == (("patrol", "patrol"),)
    assert conclusion.prediction is not None
    assert conclusion.prediction["alerts"] == [alert["alert_id"]]
    assert finish(case, LOW) == conclusion, "a replay draws the same"


def test_what_was_flagged_is_not_drawn(case: Case) -> None:
    flagged = finish(with_policy(case, PATROLLED), LOW)
    assert [domain for domain, _ in flagged.alerts] == ["contact_exchange"]
    case.screened = replace(case.screened, rules=())
    case.alerted = frozenset({"rule:contact_exchange:contact.line"})
    assert finish(case, LOW).alerts == (), "its alert went out before the models answered"


def test_what_waits_for_its_models_is_not_drawn_yet(case: Case) -> None:
    case.screened = replace(case.screened, rules=())
    away = dict.fromkeys(LOW, ModelFailure("unavailable", retriable=True))
    assert finish(with_policy(case, PATROLLED), away).alerts == ()


def test_a_stress_run_is_not_patrolled(case: Case) -> None:
    message = Message(message_id="stress-1-2", transaction_id="stress-1-2", writer="buyer", text="LINE")
    case.screened = replace(case.screened, rules=(), subject=message_subject(message))
    assert finish(with_policy(case, PATROLLED), LOW).alerts == ()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.text(max_size=5))
def test_a_patrol_of_a_larger_share_only_adds(shares: list[float], text: str) -> None:
    subject = message_subject(Message(message_id="m", transaction_id="t", writer="buyer", text=text))
    smaller, larger = (bool(drawn(subject, share)) for share in sorted(shares))
    assert larger or not smaller


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
