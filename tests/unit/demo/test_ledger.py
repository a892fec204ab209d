"""The demo's books: they balance only when every event is accounted for, and by its place, not by a count."""

from __future__ import annotations

from typing import Any

import pytest

from demo.ledger import Ledger, Sent, percentile_ms


def prediction(offset: int, *alerts: str) -> dict[str, Any]:
    return {"source": {"topic": "messages", "partition": 0, "offset": offset}, "alerts": list(alerts)}


def alert(identity: str, *by: str, domain: str = "d", revision: int = 1) -> dict[str, Any]:
    evidence = [{"by": b, **({"report_id": "r1"} if b == "report" else {})} for b in by]
    return {"domain": domain, "alert_id": identity, "revision": revision, "evidence": evidence}


def ledger_of(events: int) -> Ledger:
    ledger = Ledger()
    for offset in range(events):
        ledger.produced["messages", 0, offset] = Sent(float(offset), {"d": offset % 2})
    return ledger


def test_predictions_and_dead_letters_together_balance() -> None:
    ledger = ledger_of(3)
    ledger.note_prediction(prediction(0))
    ledger.note_prediction(prediction(1))
    assert not ledger.reconciles
    assert ledger.missing == [("messages", 0, 2)]
    ledger.note_dead_letter(("messages", 0, 2), "not_json")
    assert ledger.reconciles


def test_the_right_number_of_the_wrong_events_does_not_balance() -> None:
    ledger = ledger_of(2)
    ledger.note_prediction(prediction(0))
    ledger.note_prediction(prediction(7))
    assert not ledger.reconciles


def test_a_report_must_be_in_an_alert() -> None:
    ledger = ledger_of(1)
    ledger.note_prediction(prediction(0))
    ledger.reports.add("r1")
    assert not ledger.reconciles
    assert ledger.unanswered == {"r1"}
    ledger.note_alert(alert("a", "report", "rule", revision=1001), sent_at_s=None, now_s=1.0)
    assert ledger.reconciles
    assert (ledger.summary(seconds=1)["reports"], ledger.summary(seconds=1)["reports_in_alerts"]) == (1, 1)


def test_a_repeated_prediction_is_counted_apart() -> None:
    ledger = ledger_of(1)
    ledger.note_prediction(prediction(0))
    ledger.note_prediction(prediction(0))
    assert ledger.reconciles
    assert ledger.summary(seconds=1)["repeated"] == 1


def test_the_summary() -> None:
    ledger = ledger_of(4)
    for offset, alerts in ((0, ["a"]), (1, ["b"]), (2, [])):
        ledger.note_prediction(prediction(offset, *alerts))
    ledger.note_dead_letter(("messages", 0, 3), "not_utf8")
    ledger.note_alert(alert("a", "rule"), sent_at_s=0.0, now_s=0.010)
    ledger.note_alert(alert("a", "rule", "model", revision=2), sent_at_s=0.0, now_s=9.0)
    ledger.note_alert(alert("b", "model"), sent_at_s=1.0, now_s=1.030)
    assert ledger.summary(seconds=2) == {
        "events": 4,
        "predictions": 3,
        "dead_letters": 1,
        "reports": 0,
        "reports_in_alerts": 0,
        "alerts": {"d": {"total": 2, "rule": 1, "model": 2}},
        "events_per_s": 2.0,
        "p50_ms": 10.0,
        "p99_ms": 30.0,
        "reconciles": True,
        "missing": 0,
        "repeated": 0,
        "dead_letters_by_reason": {"not_utf8": 1},
        "alerts_on_generated_violations": {"d": {"violations": 1, "alerts": 2}},
    }


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([0.004], 0.99, 4.0),
        ([0.001, 0.002, 0.003], 0.5, 2.0),
        ([x / 1000 for x in range(1, 101)], 0.99, 99.0),
    ],
)
def test_percentiles(values: list[float], share: float, expected: float | None) -> None:
    assert percentile_ms(values, share) == expected
