"""What one sees of an alert."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from demo.screen import Screen, alert_line, highlighted

RULE = {"by": "rule", "rule_id": "contact.line", "score": 70, "spans": [{"text": "LINE"}]}
MODEL = {"by": "model", "model": "message_contact_exchange", "version": "1", "score": 0.9712, "gate": None}
REPORT = {"by": "report", "report_id": "r1", "reporter_id": None, "reason": None}
LISTING = {
    "by": "model",
    "model": "listing_counterfeit",
    "version": "2",
    "score": 0.95,
    "gate": {"text": 0.7, "image": 0.3},
}


def alert(
    *evidence: dict[str, Any], text: str = "よかったらLINEで話しませんか", **fields: Any
) -> dict[str, Any]:
    return {
        "domain": "contact_exchange",
        "severity": "high",
        "revision": 1,
        "evidence": list(evidence),
        "context": [{"text": text}],
        **fields,
    }


def test_rule_and_model_in_one_line() -> None:
    line = alert_line(alert(RULE, MODEL)).plain
    assert line.startswith("contact_exchange")
    assert "contact.line + message model v1" in line
    assert "  0.97  " in line
    assert "よかったらLINEで話しませんか" in line


def test_a_rule_alone_has_no_score_of_a_model() -> None:
    assert "  rule  " in alert_line(alert(RULE)).plain


def test_a_customer_is_named_among_those_who_speak() -> None:
    assert "a customer + contact.line + message model v1" in alert_line(alert(REPORT, RULE, MODEL)).plain
    assert " report  " in alert_line(alert(REPORT, context=[])).plain


def test_a_listing_shows_its_gate_and_title() -> None:
    shown = alert(LISTING, context=[{"title": "鞄", "description": "本物"}])
    line = alert_line(shown).plain
    assert "0.70 / 0.30" in line
    assert "鞄 / 本物" in line


def test_a_later_revision_says_so() -> None:
    assert alert_line(alert(MODEL, revision=2)).plain.endswith("(revision 2)")


def test_what_fired_is_highlighted_and_kept_in_sight() -> None:
    text = highlighted(alert(RULE, text="あ" * 100 + "LINE" + "い" * 100))
    assert "LINE" in text.plain
    assert text.plain.startswith("…")
    assert [text.plain[s.start : s.end] for s in text.spans] == ["LINE"]


def test_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, force_terminal=False, width=200))
    screen.say("ready")
    screen.alert(alert(RULE))
    assert "▸ ready" in out.getvalue()
    assert "contact.line" in out.getvalue()
