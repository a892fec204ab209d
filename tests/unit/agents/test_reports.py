"""A customer's report becomes the alert that the live event would have, with the report in it, and nothing is counted twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from prometheus_client import REGISTRY

from streams.agents.lane import Delivery
from streams.agents.listings import ListingIntake
from streams.agents.messages import turn_of
from streams.agents.reports import MAX_SHOWN_ID, MAX_SHOWN_REASON, ReportIntake
from streams.agents.rescore import RescoreIntake
from streams.agents.scoring import ModelStep
from streams.agents.screening_lane import LaneEnds, ScreeningLane
from streams.alerts import alert_id
from streams.conclusion import Conclusion, conclude
from streams.events import BadRecord, Position, decode_message
from streams.features.images import ImageLoader
from streams.features.tokens import TextPipeline
from streams.inference.scorer import ModelFailure, ModelScore
from streams.kafka.outbox import Outbox, Outgoing
from streams.reports import revision_before
from streams.rescoring import encode
from streams.rulebook import LiveRulebook
from streams.schemas import schemas
from streams.screening import Case, Examiner, Source
from streams.settings import Settings

POLICY = """\
format: 1
domains:
  contact_exchange:
    title: Contact
    applies_to: message
    severity: high
    champion: {model: message_contact_exchange, version: 1, threshold: 0.9}
    challenger: {model: message_contact_exchange, version: 2, threshold: 0.8, mode: shadow}
  harassment:
    title: Harassment
    applies_to: message
    severity: medium
    champion: {model: message_harassment, version: 4, threshold: 0.5}
  counterfeit:
    title: Counterfeit
    applies_to: listing
    severity: medium
    champion: {model: listing_counterfeit, version: 1, threshold: 0.9}
  banned:
    title: Banned
    applies_to: listing
    severity: low
"""
RULES = """\
format: 1
rules:
  - id: {name}
    description: made for a test
    domain: {domain}
    owner: me@example.com
    severity: medium
    score: 50
    mode: active
    applies_to: {{type: {kind}}}
    match: {{any: [{word}]}}
    tests:
      should_match: [{{{field}: {word}}}]
      should_not_match: [{{{field}: ok}}]
"""
BROKER_US = 1_795_000_000_000_000
EARLIER = {"message_id": "m8", "transaction_id": "t7", "writer": "buyer", "text": "まだありますか"}
MESSAGE = {"message_id": "m9", "transaction_id": "t7", "writer": "seller", "text": "LINEで話しませんか"}
LISTING = {"listing_id": "l1", "seller_id": "s1", "title": "コピー品の鞄", "price": 4800}
FRAME = {"report_id": "r1", "reported_at": "2026-11-18T10:00:00Z", "domain": "contact_exchange"}
SUBJECT = {"type": "message", "message_id": "m9", "transaction_id": "t7"}


@pytest.fixture(scope="module")
def text() -> TextPipeline:
    return TextPipeline()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> LiveRulebook:
    directory = tmp_path_factory.mktemp("rules")
    rules = [
        ("a.line", "contact_exchange", "message", "LINE", "text"),
        ("b.line", "harassment", "message", "LINE", "text"),
        ("c.copy", "counterfeit", "listing", "コピー", "title"),
    ]
    for name, domain, kind, word, field in rules:
        body = RULES.format(name=name, domain=domain, kind=kind, word=word, field=field)
        (directory / f"{name}.yaml").write_text(body)
    (directory / "domains.yaml").write_text(POLICY)
    rulebook = LiveRulebook(directory, poll_s=60)

    async def load() -> None:
        await rulebook.start()
        await rulebook.stop()

    asyncio.run(load())
    return rulebook


@pytest.fixture
def examiner(live: LiveRulebook, text: TextPipeline) -> Examiner:
    return Examiner(rulebook=live, text=text, images=ImageLoader(hosts=(), paths=None, timeout_s=1.0))


@pytest.fixture
def intake(examiner: Examiner, live: LiveRulebook, text: TextPipeline) -> ReportIntake:
    return ReportIntake(examiner, rulebook=live, text=text)


def record(body: dict[str, Any], *, offset: int = 4, topic: str = "reports", key: bytes = b"t7") -> Source:
    return Source(Position(topic, 2, offset), BROKER_US, key, json.dumps(body).encode())


def report(offset: int = 4, key: bytes = b"t7", **fields: Any) -> Source:
    return record({**FRAME, **fields}, offset=offset, key=key)


def scored(case: Case, score: float | None) -> Conclusion:
    """As the models say the same of everything, or do not answer."""
    outcome = ModelFailure("unavailable", retriable=True) if score is None else ModelScore(score)
    outcomes = {wanted.model: outcome for wanted in case.wanted}
    return conclude(case, outcomes, notes=(), now_us=BROKER_US, rescore_max_age_us=3_600_000_000)


def only(conclusion: Conclusion) -> dict[str, Any]:
    ((domain, alert),) = conclusion.alerts
    alert = dict(json.loads(json.dumps(alert)))
    strict = schemas()["alert"]
    for definition in strict["$defs"].values():
        definition["additionalProperties"] = False
    jsonschema.validate(alert, strict)
    assert alert["domain"] == domain
    return alert


def said_by(alert: dict[str, Any]) -> list[str]:
    return [item["by"] for item in alert["evidence"]]


def test_it_is_the_live_alert_with_the_report_in_it(intake: ReportIntake, examiner: Examiner) -> None:
    sent = record(MESSAGE, topic="messages", offset=77)
    decoded = decode_message(sent.value, key=sent.key, timestamp_us=BROKER_US)
    live = examiner.message(decoded, [turn_of(decoded, 77, BROKER_US)], sent)

    alert = only(scored(intake.examine(report(message=MESSAGE, conversation=[EARLIER])), 0.95))

    live_alerts = dict(scored(live, 0.95).alerts)
    assert live_alerts.keys() == {"contact_exchange", "harassment"}
    assert alert["alert_id"] == live_alerts["contact_exchange"]["alert_id"]
    assert alert["revision"] > 1_000 > int(str(live_alerts["contact_exchange"]["revision"]))
    assert (alert["domain"], alert["severity"], said_by(alert)) == (
        "contact_exchange",
        "high",
        ["report", "rule", "model"],
    )
    assert [shown["message_id"] for shown in alert["context"]] == ["m8", "m9"]


def test_only_models_that_decide_in_its_domain_are_asked(intake: ReportIntake) -> None:
    case = intake.examine(report(message=MESSAGE))
    assert [(wanted.domain, wanted.role) for wanted in case.wanted] == [("contact_exchange", "champion")]
    assert case.impatient is False, "nobody waits for it: one alert with all evidence"


def test_nothing_else_need_speak_and_there_is_no_prediction(intake: ReportIntake) -> None:
    conclusion = scored(intake.examine(report(message={**MESSAGE, "text": "ok"})), 0.1)
    assert said_by(only(conclusion)) == ["report"]
    assert (conclusion.prediction, conclusion.aside) == (None, False)
    assert conclusion.raised_by == (("contact_exchange", "report"),)


def test_a_listing(intake: ReportIntake, examiner: Examiner) -> None:
    live = ListingIntake(examiner).examine(record(LISTING, topic="listings", key=b"l1"))
    alert = only(scored(intake.examine(report(key=b"l1", domain="counterfeit", listing=LISTING)), 0.1))
    assert alert["alert_id"] == alert_id(live.screened.subject, "counterfeit")
    assert (said_by(alert), alert["context"][0]["title"]) == (["report", "rule"], "コピー品の鞄")


async def test_a_picture_that_no_model_looks_at_is_not_fetched(intake: ReportIntake) -> None:
    pictured = {**LISTING, "images": [{"url": "https://shop.example/1.jpg"}]}
    assert intake.examine(report(key=b"l1", domain="counterfeit", listing=pictured)).image is not None
    assert intake.examine(report(key=b"l1", domain="banned", listing=pictured)).image is None


def test_models_that_are_away_follow_in_a_revision_with_all_evidence(
    intake: ReportIntake, examiner: Examiner
) -> None:
    case = intake.examine(report(message=MESSAGE, conversation=[EARLIER]))
    first = scored(case, None)
    assert first.aside
    assert said_by(only(first)) == ["report", "rule"]
    aside = encode(case, revision=first.revision, alerted=first.alerted, now_us=BROKER_US)

    again = RescoreIntake(examiner, intake).examine(record(json.loads(aside), topic="rescore"))
    second = scored(again, 0.95)

    assert only(second)["alert_id"] == only(first)["alert_id"]
    assert only(second)["revision"] == only(first)["revision"] + 1
    assert said_by(only(second)) == ["report", "rule", "model"]
    assert len(only(second)["context"]) == 2
    assert (second.prediction, second.raised_by) == (None, ()), "it has been counted"
    quiet = RescoreIntake(examiner, intake).examine(record(json.loads(aside), topic="rescore"))
    assert scored(quiet, 0.1).alerts == ()


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (b"not json", "not_json"),
        (b"{}", "missing_field"),
        (json.dumps({**FRAME, "domain": "gone", "message": MESSAGE}).encode(), "unknown_domain"),
    ],
)
def test_what_waited_and_can_no_longer_be_judged_is_a_bad_record(
    intake: ReportIntake, examiner: Examiner, inside: bytes, reason: str
) -> None:
    case = intake.examine(report(message=MESSAGE))
    case.source = replace(case.source, value=inside)
    aside = encode(case, revision=5_001, alerted=frozenset(), now_us=BROKER_US)
    with pytest.raises(BadRecord) as refused:
        RescoreIntake(examiner, intake).examine(record(json.loads(aside), topic="rescore"))
    assert refused.value.reason == reason


def test_by_ids_alone_it_stands_on_the_report_and_has_an_id_of_its_own(intake: ReportIntake) -> None:
    alert = only(scored(intake.examine(report(subject=SUBJECT)), None))
    other = only(scored(intake.examine(report(offset=9, subject=SUBJECT, report_id="r2")), None))
    full = only(scored(intake.examine(report(message=MESSAGE)), 0.1))

    assert (said_by(alert), alert["context"], alert["notes"]) == (["report"], [], ["content_missing"])
    assert alert["subject"] == full["subject"]
    assert alert["alert_id"] == other["alert_id"] != full["alert_id"]
    item = intake.examine(
        report(key=b"l1", domain="banned", subject={"type": "listing", "listing_id": "l1", "seller_id": "s1"})
    )
    assert only(scored(item, None))["subject"]["seller_id"] == "s1"


def test_of_several_the_latest_counts_however_often_each_is_delivered(intake: ReportIntake) -> None:
    """What a subscriber holds who upserts, after any order of deliveries and with models away for some of them."""
    deliveries: Sequence[tuple[int, str, float | None]] = [
        (4, "r1", None), (5, "r2", 0.95), (4, "r1", 0.95), (5, "r2", None), (4, "r1", None),
    ]  # fmt: skip
    held: dict[str, dict[str, Any]] = {}
    for offset, name, score in deliveries:
        alert = only(scored(intake.examine(report(offset, report_id=name, message=MESSAGE)), score))
        known = held.get(alert["alert_id"])
        if known is None or alert["revision"] >= known["revision"]:
            held[alert["alert_id"]] = alert
    (alert,) = held.values()
    assert [item["report_id"] for item in alert["evidence"] if item["by"] == "report"] == ["r2"]
    assert alert["revision"] == revision_before(5) + 1


def test_a_reason_is_masked_and_cut(intake: ReportIntake) -> None:
    words = f"電話 090-1234-5678 {'x' * 5_000}"
    alert = only(scored(intake.examine(report(message=MESSAGE, reason=words, reporter_id="u" * 999)), 0.1))
    item = alert["evidence"][0]
    assert "090" not in item["reason"]
    assert "〈PHONE〉" in item["reason"]
    assert (len(item["reason"]), len(item["reporter_id"])) == (MAX_SHOWN_REASON, MAX_SHOWN_ID)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"domain": "geheimnis", "message": MESSAGE}, "unknown_domain"),
        ({"domain": "counterfeit", "message": MESSAGE}, "bad_value"),
        ({"domain": "counterfeit", "subject": SUBJECT}, "bad_value"),
        ({"listing": LISTING}, "bad_value"),
        ({}, "missing_field"),
    ],
)
def test_what_cannot_be_judged(intake: ReportIntake, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRecord) as refused:
        intake.examine(report(**fields))
    assert refused.value.reason == reason
    assert "geheimnis" not in refused.value.detail


def test_rules_do_not_count_the_event_again(intake: ReportIntake, live: LiveRulebook) -> None:
    before = dict(live.watch.events)
    intake.examine(report(message=MESSAGE))
    intake.examine(report(key=b"l1", domain="counterfeit", listing=LISTING))
    assert live.watch.events == before


async def test_the_lane_writes_the_alert_and_counts_the_report(intake: ReportIntake) -> None:
    written: list[Outgoing] = []

    class Keeping(Outbox):
        """Keeps what would be sent."""

        async def send(self, records: Sequence[Outgoing], **_: object) -> bool:
            written.extend(records)
            return True

    lane = ScreeningLane(
        Settings(),
        models=ModelStep(None, deadline_s=1.0, batch_rows=8),  # type: ignore[arg-type] # no model is asked
        outbox=Keeping(None),  # type: ignore[arg-type]
        ends=LaneEnds(
            complete=lambda _: None,
            is_current=lambda _: True,
            holding=lambda: 1,
            fail=lambda error: pytest.fail(repr(error)),
        ),
    )
    before = _counted()
    delivery = Delivery("reports", 2, 4, 1, left=1)
    lane.lane.start()
    await lane.lane.begin(delivery)
    await lane.lane.put(delivery, [intake.examine(report(subject=SUBJECT))])
    async with asyncio.timeout(30):
        await lane.lane.wait_empty()
    await lane.lane.stop()

    assert [outgoing.topic for outgoing in written] == ["alerts.contact_exchange", "alerted"]
    assert {outgoing.key for outgoing in written[:1]} == {b"t7"}
    after = _counted()
    assert {name: after[name] - before[name] for name in after} == {
        "sekisho_alerts_total": 1.0,
        "sekisho_predictions_total": 0.0,
        "sekisho_rule_hits_total": 0.0,
    }


def _counted() -> dict[str, float]:
    names = ("sekisho_alerts", "sekisho_predictions", "sekisho_rule_hits")
    return {
        f"{family.name}_total": sum(s.value for s in family.samples if s.name.endswith("_total"))
        for family in REGISTRY.collect()
        if family.name in names
    }
