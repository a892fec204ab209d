"""Alerts as people read them; the expected text stands beside this file, ⟦…⟧ shows what is highlighted."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from streams.cli.alert_text import alert_text

HERE = Path(__file__).parent
FOUND = "bold black on yellow"

MESSAGE_ALERT = {
    "alert_id": "a1",
    "revision": 2,
    "domain": "off_platform_payment",
    "severity": "high",
    "subject": {"type": "message", "message_id": "m9", "transaction_id": "t7"},
    "raised_at": "2026-11-21T10:00:00.123Z",
    "evidence": [
        {
            "by": "rule",
            "rule_id": "pay.external_inducement",
            "spans": [
                {"message_id": "m9", "field": "text", "start": 4, "end": 8, "text": "ＬＩＮＥ"},
                {"message_id": "m8", "field": "text", "start": 0, "end": 2, "text": "振込"},
            ],
        },
        {"by": "rule", "rule_id": "pay.no_words", "spans": []},
        {
            "by": "model",
            "model": "message_off_platform_payment",
            "version": "3",
            "role": "champion",
            "score": 0.97,
            "threshold": 0.91,
            "gate": None,
        },
        {"by": "model", "model": "m", "version": "4", "role": "challenger", "score": 0.5, "threshold": 0.88},
        {
            "by": "model",
            "model": "m",
            "version": "5",
            "role": "champion",
            "score": None,
            "failure": "deadline",
        },
    ],
    "context": [
        {"message_id": "m7", "writer": "buyer", "text": "こんにちは"},
        {"message_id": "m8", "writer": "seller", "text": "振込でもいいですか"},
        {"message_id": "m9", "writer": "seller", "text": "よければＬＩＮＥで\u202e話しましょう 〈PHONE〉"},
    ],
}
LISTING_ALERT = {
    "domain": "counterfeit",
    "severity": "medium",
    "subject": {"type": "listing", "listing_id": "l1", "seller_id": "s1"},
    "raised_at": "2026-11-21T10:00:01.000Z",
    "evidence": [
        {"by": "rule", "rule_id": "fake.replica", "spans": [{"field": "description", "text": "super copy"}]},
        {
            "by": "model",
            "model": "listing_counterfeit",
            "version": "1",
            "role": "champion",
            "score": 0.934,
            "threshold": 0.9,
            "gate": {"text": 0.08, "image": 0.92},
        },
    ],
    "context": [{"title": "ブランドバッグ", "description": f"{'新品 ' * 120}super copy{' です' * 200}"}],
}
PATROL_ALERT = {
    "domain": "patrol",
    "severity": "low",
    "subject": {"type": "message", "message_id": "m3", "transaction_id": "t1"},
    "raised_at": "2026-11-21T10:00:02.000Z",
    "evidence": [{"by": "patrol", "share": 0.0005}],
    "context": [{"message_id": "m3", "writer": "buyer", "text": "よろしくお願いします"}],
}
REPORTED_ALERT = {
    "revision": 5001,
    "domain": "counterfeit",
    "severity": "medium",
    "subject": {"type": "listing", "listing_id": "l1", "seller_id": "s1"},
    "raised_at": "2026-11-21T10:00:03.000Z",
    "evidence": [
        {
            "by": "report",
            "report_id": "r81",
            "reporter_id": "u5",
            "reason": "It is a\u202e copy.\nSee the logo.",
        },
        {"by": "report", "report_id": "r82", "reporter_id": None, "reason": None},
    ],
    "context": [],
}


def test_a_message_a_listing_one_of_the_patrol_and_a_reported_one() -> None:
    alerts = (MESSAGE_ALERT, LISTING_ALERT, PATROL_ALERT, REPORTED_ALERT)
    shown = "\n\n".join(_marked(alert_text(alert)) for alert in alerts) + "\n"

    assert shown == (HERE / "alert_text.approved.txt").read_text()


def test_an_alert_of_another_version_is_shown_as_far_as_it_goes() -> None:
    assert alert_text({}).plain == "? ? ?"
    assert alert_text({"domain": 5, "evidence": "x", "context": [1], "subject": []}).plain == "? ? 5"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(MESSAGE_ALERT)), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*MESSAGE_ALERT, "by", "spans"]), json_values))
def test_nothing_in_a_record_stops_the_display(alert: dict[str, object]) -> None:
    alert_text(json.loads(json.dumps(alert)))


def _marked(text: Text) -> str:
    plain = text.plain
    for span in sorted((span for span in text.spans if span.style == FOUND), key=lambda span: -span.start):
        plain = f"{plain[: span.start]}⟦{plain[span.start : span.end]}⟧{plain[span.end :]}"
    return plain
