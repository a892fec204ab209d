"""Identity and shape of alerts and predictions."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from streams.alerts import (
    Excerpt,
    ModelEvidence,
    RuleEvidence,
    Screened,
    alert_id,
    alert_records,
    listing_subject,
    message_subject,
    prediction_record,
)
from streams.events import ImageSource, Listing, Message, Position

MESSAGE = Message(message_id="m9", transaction_id="t7", writer="seller", text="LINEで話しませんか")
RULE = RuleEvidence(
    "contact_exchange", "contact.line", "abc", "active", "medium", 70, (Excerpt("m9", "text", 0, 4, "LINE"),)
)
MODEL = ModelEvidence("contact_exchange", "message_contact_exchange", 3, "champion", 0.9, 0.97)
SCREENED = Screened(
    subject=message_subject(MESSAGE),
    position=Position("messages", 3, 41),
    event_at_us=1_700_000_000_123_000,
    notes=("key_missing",),
    rules=(RULE,),
    shown={"status": "shipped", "messages": [{"message_id": "m9", "writer": "seller", "text": "…"}]},
    ruleset="r1",
    policy="p1",
)


def test_an_alert_carries_all_evidence_of_its_domain() -> None:
    other = replace(MODEL, domain="harassment", model="message_harassment")
    alerts = alert_records(
        SCREENED,
        [RULE, MODEL, other],
        severities={"contact_exchange": "high"},
        revision=1,
        now_us=1_700_000_001_000_000,
    )
    assert [domain for domain, _ in alerts] == ["contact_exchange", "harassment"]
    assert alerts[0][1] == {
        "alert_id": alert_id(SCREENED.subject, "contact_exchange"),
        "revision": 1,
        "domain": "contact_exchange",
        "severity": "high",
        "subject": {"type": "message", "message_id": "m9", "transaction_id": "t7"},
        "raised_at": "2023-11-14T22:13:21.000Z",
        "event_at": "2023-11-14T22:13:20.123Z",
        "evidence": [
            {
                "by": "rule",
                "rule_id": "contact.line",
                "rule_version": "abc",
                "severity": "medium",
                "score": 70,
                "spans": [{"message_id": "m9", "field": "text", "start": 0, "end": 4, "text": "LINE"}],
            },
            {
                "by": "model",
                "model": "message_contact_exchange",
                "version": "3",
                "role": "champion",
                "score": 0.97,
                "threshold": 0.9,
                "gate": None,
            },
        ],
        "context": [{"message_id": "m9", "writer": "seller", "text": "…"}],
        "notes": ["key_missing"],
        "ruleset": "r1",
        "policy": "p1",
    }
    assert alerts[1][1]["severity"] == "medium", (
        "a domain without a rule or policy entry has a middling severity"
    )


def test_shadow_rules_low_scores_and_failures_raise_nothing() -> None:
    quiet = [
        replace(RULE, mode="shadow"),
        replace(MODEL, score=0.89),
        replace(MODEL, score=None, failure="not_finite"),
    ]
    assert alert_records(SCREENED, quiet, severities={}, revision=1, now_us=0) == []


def test_a_score_equal_to_its_threshold_raises() -> None:
    assert replace(MODEL, score=0.9).raises_alert


def test_a_prediction_tells_where_the_event_stands_and_every_score() -> None:
    failed = replace(MODEL, score=None, failure="not_finite")
    record = prediction_record(
        SCREENED, [failed], alerts=["a1"], notes=["image_broken"], now_us=1_700_000_001_000_000
    )
    assert record["source"] == {"topic": "messages", "partition": 3, "offset": 41}
    assert record["scores"] == [
        {
            "domain": "contact_exchange",
            "model": "message_contact_exchange",
            "version": "3",
            "role": "champion",
            "score": None,
            "threshold": 0.9,
            "gate": None,
            "failure": "not_finite",
        }
    ]
    assert record["rules"] == [
        {"domain": "contact_exchange", "rule_id": "contact.line", "rule_version": "abc", "mode": "active"}
    ]
    assert record["notes"] == ["key_missing", "image_broken"]
    assert record["alerts"] == ["a1"]


def test_a_gate_names_its_modalities() -> None:
    assert replace(MODEL, gate=(0.92, 0.08)).record()["gate"] == {"text": 0.92, "image": 0.08}


def test_the_identity_follows_words_and_domain_and_nothing_else() -> None:
    subject = message_subject(MESSAGE)
    same = Message(
        message_id="m9",
        transaction_id="t7",
        writer="seller",
        text="LINEで話しませんか",
        status="shipped",
        event_id="e2",
    )
    edited = Message(message_id="m9", transaction_id="t7", writer="seller", text="LINEで話しませんか?")
    assert alert_id(message_subject(same), "x") == alert_id(subject, "x")
    assert alert_id(message_subject(edited), "x") != alert_id(subject, "x")
    assert alert_id(subject, "y") != alert_id(subject, "x")


def test_a_listing_is_another_subject_when_a_buyer_sees_something_else() -> None:
    listing = Listing(
        listing_id="l1", seller_id="s1", title="鞄", price=1000.0, images=(ImageSource(data="AAAA"),)
    )
    changes = {"price": 900.0, "title": "鞄!", "images": (ImageSource(data="AAAB"),), "brand": "b"}
    identities = {listing_subject(listing).content_hash}
    for name, value in changes.items():
        fields = {f: getattr(listing, f) for f in listing.__struct_fields__} | {name: value}
        identities.add(listing_subject(Listing(**fields)).content_hash)
    assert len(identities) == 1 + len(changes)
    relisted = Listing(
        listing_id="l1",
        seller_id="s1",
        title="鞄",
        price=1000.0,
        images=(ImageSource(data="AAAA"),),
        updated_at="2026-01-01T00:00:00Z",
    )
    assert listing_subject(relisted) == listing_subject(listing)


@given(a=st.text(), b=st.text(), c=st.text(), d=st.text())
def test_texts_that_join_alike_are_still_told_apart(a: str, b: str, c: str, d: str) -> None:
    one = message_subject(Message(message_id=a or "m", transaction_id=b or "t", writer="seller", text=c))
    two = message_subject(
        Message(message_id=(a or "m") + (b or "t"), transaction_id=d or "t", writer="seller", text=c)
    )
    assert alert_id(one, "x") != alert_id(two, "x")
