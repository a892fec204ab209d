"""Verdicts, and what people read of a run; the expected text stands beside this file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from streams.stress.account import Account, Arrival
from streams.stress.maximum import goals_of_search, judged
from streams.stress.progress import Progress, line
from streams.stress.report import result, text
from streams.stress.run import Run
from streams.stress.verdict import Goals
from tests.unit.stress.finished_runs import bad_run, quiet_run, run_without_alerts

HERE = Path(__file__).parent


def page(run: Run, goals: Goals) -> str:
    found = result(run, goals, judged(run, goals), surroundings={"source": "built in"})
    return text(json.loads(json.dumps(found)))


def test_what_people_read() -> None:
    pages = [
        page(quiet_run(), Goals(p99_ms=65, rule_p99_ms=40)),
        page(bad_run(), Goals(p99_ms=50, max_loss=1)),
        page(run_without_alerts(), Goals(p99_ms=50)),
        page(replace(quiet_run(), stopped="stopped by hand after 5 s"), Goals()),
    ]
    shown = "\n\n----\n\n".join(pages) + "\n"
    assert shown == (HERE / "stress_report.approved.txt").read_text()


@pytest.mark.parametrize(
    ("goals", "passed"),
    [
        (Goals(), True),
        (Goals(p99_ms=62), True),
        (Goals(p99_ms=40), False),
        (Goals(p99_ms=62, rule_p99_ms=25), False),
        (Goals(p99_ms=62, rule_p99_ms=32), True),
        (Goals(p99_ms=40, rule_p99_ms=32), False),
        (Goals(prediction_p99_ms=40.5), True),
        (Goals(prediction_p99_ms=39), False),
    ],
)
def test_each_goal_decides(goals: Goals, passed: bool) -> None:
    """By rules p99 31 ms, by models 61 ms, predictions 40 ms."""
    assert judged(quiet_run(), goals).passed is passed


@pytest.mark.parametrize(("max_loss", "passed"), [(0, False), (1, False), (2, True)])
def test_lost_events_and_lost_alerts_count_together(max_loss: int, passed: bool) -> None:
    run = run_without_alerts()
    account = Account(run.schedule.due_s())
    for number in range(2):
        account.note_sent(number, number / 2)
        account.note_acknowledged(number, number / 2)
    account.note_prediction(1, Arrival(0.6, 0.6), {("pay", "rule")})
    assert judged(replace(run, account=account), Goals(max_loss=max_loss)).passed is passed


def test_outputs_of_another_version_are_told_as_the_reason_of_losses() -> None:
    run = bad_run()
    run.account.unreadable["predictions"] = 3
    assert "3 records in predictions cannot be read: do the deployment" in " ".join(
        judged(run, Goals()).complaints
    )


def test_a_load_that_was_not_reached_is_no_success() -> None:
    run = quiet_run()
    assert judged(replace(run, sent_for_s=10.4), Goals()).passed
    (complaint,) = judged(replace(run, sent_for_s=10.6), Goals()).complaints
    assert "sending took 10.6 s instead of 10.0 s" in complaint


def test_a_search_always_has_a_goal_that_a_growing_backlog_breaks() -> None:
    assert goals_of_search(Goals()).prediction_p99_ms == 1_000
    assert goals_of_search(Goals(p99_ms=5_000)).prediction_p99_ms == 5_000
    assert goals_of_search(Goals(prediction_p99_ms=70)).prediction_p99_ms == 70


def test_the_result_file_says_what_was_asked_and_found() -> None:
    goals = Goals(p99_ms=50, max_loss=1)
    run = bad_run()
    found = json.loads(
        json.dumps(result(run, goals, judged(run, goals), surroundings={"source": "built in"}))
    )
    assert found["passed"] is False
    assert found["goals"] == {"p99_ms": 50, "rule_p99_ms": None, "prediction_p99_ms": None, "max_loss": 1}
    assert found["load"]["due"] == found["load"]["sent"] == 300
    outcome = found["outcome"]
    assert outcome["acknowledged"] + outcome["not_acknowledged"] == 300
    assert outcome["acknowledged"] == (
        outcome["predictions"] + sum(outcome["dead_letters"].values()) + outcome["lost"]
    )
    assert len(outcome["lost_events"]) == outcome["lost"] == 8
    assert outcome["missing_alerts"][0] == {
        "event": "stress-20261121T180000Z-3f9a1c-0", "domain": "harassment", "by": "model",
    }  # fmt: skip
    prediction = found["latency"]["prediction"]
    assert prediction["received"]["p50_ms"] == pytest.approx(2_500, abs=1)
    assert prediction["stamped"]["p50_ms"] == pytest.approx(2_400, abs=1)
    assert sum(count for _, count in prediction["histogram_ms"]) == prediction["received"]["count"]
    assert prediction["received"]["count"] < outcome["predictions"], "the warm-up is not measured"
    assert found["latency"]["alert_by_model"]["received"] is None


def test_a_line_while_it_runs() -> None:
    run = bad_run()
    before = replace(Progress.of(run.account, 1.0), sent=80)
    now = Progress.of(run.account, 3.0)
    assert line(now, before) == (
        "   3 s  sent 300 of 300 (110/s)  predictions 281  waiting 8 (3.0 s)  alerts 4  p50 1,500 ms p99 1,500 ms"
        "  dead letters 5  not acknowledged 6"
    )
    empty = Progress.of(Account(run.schedule.due_s()), 0.0)
    assert (
        line(empty, None)
        == "   0 s  sent 0 of 300 (0/s)  predictions 0  waiting 0 (0.0 s)  alerts 0  p50 – p99 –"
    )
