"""Models tried on past predictions: what the numbers say, counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.backtest.history import Skipped
from streams.backtest.model_report import as_text, report
from streams.backtest.model_trial import ModelTrial
from streams.backtest.predicted import Predicted, predicted_of
from streams.inference.contracts import ModelVersion
from streams.policy import Domain, ModelRef, Policy, Trial, policy_of
from streams.review.verdicts import Judgement, Verdict
from tests.unit.backtest.predictions import DOMAIN, MODEL, fired, predicted, scored, value

APPROVED = Path(__file__).with_name("model_report.approved.txt")
THEN, NEW = ModelVersion(MODEL, 1), ModelVersion(MODEL, 2)


def policy(
    threshold: float = 0.8, *, version: int = 2, challenger: ModelRef | None = None, **more: object
) -> Policy:
    domain = Domain(
        DOMAIN,
        "Insults",
        "message",
        "high",
        ModelRef(MODEL, version, threshold),
        challenger,
        alerts_per_day=20,
        **more,  # type: ignore[arg-type]
    )
    listing = Domain("counterfeit", "Fakes", "listing", "high")
    return policy_of({DOMAIN: domain, "counterfeit": listing})


def judged(events: Sequence[tuple[Predicted, str]]) -> dict[str, Judgement]:
    return {one.alert_id(DOMAIN): (Verdict(7, "mod", word),) for one, word in events}  # type: ignore[arg-type]


def trial_of(*events: tuple[Predicted, float | None, str | None], tried: Policy | None = None) -> ModelTrial:
    """Each event with the score that the tried model gives it, and its verdict."""
    known = [(one, word) for one, _, word in events if word]
    trial = ModelTrial(tried or policy(), [DOMAIN], judged(known))
    for one, score, _ in events:
        trial.add(one, {NEW: score})
    return trial


def test_new_and_lost_alerts_and_precision() -> None:
    trial = trial_of(
        (predicted(1, scored(0.95)), 0.9, "violation"),  # alerted on both sides
        (predicted(2, scored(0.95)), 0.1, "no_violation"),  # lost, and good riddance
        (predicted(3, scored(0.95)), 0.2, "violation"),  # lost, a pity
        (predicted(4, scored(0.10)), 0.8, None),  # new; the threshold itself alerts
        (predicted(5, scored(0.10)), 0.7, None),  # on neither side
        (predicted(6, scored(0.95)), 0.9, "unsure"),
    )
    found = trial.by_domain[DOMAIN]
    assert (found.events, found.alerts, found.happened, found.unscored) == (6, 3, 4, 0)
    assert (found.new.alerts, found.new.violations, found.new.harmless) == (1, 0, 0)
    assert (found.lost.alerts, found.lost.violations, found.lost.harmless) == (2, 1, 1)
    assert (found.judged.right, found.judged.wrong, found.judged.missed) == (1, 0, 1)
    assert (found.judged_then.right, found.judged_then.wrong) == (2, 1)


def test_a_rule_that_fired_then_alerts_whatever_the_model_says_and_a_shadow_rule_does_not() -> None:
    trial = trial_of(
        (predicted(1, scored(0.1), rules=[fired()]), 0.1, None),
        (predicted(2, scored(0.1), rules=[fired("shadow")]), 0.1, None),
    )
    found = trial.by_domain[DOMAIN]
    assert (found.alerts, found.happened, found.new.alerts, found.lost.alerts) == (1, 1, 0, 0)


def test_recorded_scores_serve_where_none_is_made() -> None:
    trial = ModelTrial(policy(0.96, version=1), [DOMAIN], {})
    trial.add(predicted(1, scored(0.95)), {})
    trial.add(predicted(2, scored(0.97)), {})
    trial.add(predicted(3, scored(None)), {})
    found = trial.by_domain[DOMAIN]
    assert (found.alerts, found.happened, found.lost.alerts, found.unscored) == (1, 2, 1, 1)
    assert not trial.rescored


def test_a_score_made_again_counts_and_its_difference_is_kept() -> None:
    trial = ModelTrial(policy(0.9, version=1), [DOMAIN], {})
    trial.add(predicted(1, scored(0.95)), {THEN: 0.85})
    trial.add(predicted(2, scored(0.5)), {THEN: 0.5})
    assert trial.by_domain[DOMAIN].lost.alerts == 1
    found = trial.rescored[THEN]
    assert list(found.differences) == pytest.approx([0.1, 0.0])
    assert found.crossed == 1


@pytest.mark.parametrize(("mode", "alerts"), [("beside", 2), ("shadow", 1)])
def test_a_policy_may_have_a_challenger(mode: str, alerts: int) -> None:
    tried = policy(0.9, challenger=ModelRef(MODEL, 1, 0.9), trial=Trial(mode))  # type: ignore[arg-type]
    trial = trial_of(
        (predicted(1, scored(0.1)), 0.95, None), (predicted(2, scored(0.95)), 0.1, None), tried=tried
    )
    assert trial.by_domain[DOMAIN].alerts == alerts


@given(st.floats(0, 1))
def test_in_a_canary_one_model_decides_about_each_conversation(share: float) -> None:
    tried = policy(0.9, challenger=ModelRef(MODEL, 1, 0.9), trial=Trial("canary", share))
    trial = ModelTrial(tried, [DOMAIN], {})
    for number in range(20):
        assert len(trial.wanted(predicted(number, scored(0.5)))) == 1


def test_other_domains_and_kinds_are_left_alone() -> None:
    trial = ModelTrial(policy(), ["counterfeit"], {})
    trial.add(predicted(1, scored(0.95)), {NEW: 0.99})
    assert trial.by_domain["counterfeit"].events == 0
    assert trial.wanted(predicted(1, scored(0.95))) == []


def test_a_repeated_delivery_counts_once() -> None:
    trial = ModelTrial(policy(), [DOMAIN], {})
    assert [trial.is_new(predicted(number, scored(0.5))) for number in (1, 2, 1)] == [True, True, False]
    assert trial.repeats == 1


def test_an_event_that_was_sent_again_is_the_same_alert_with_the_same_verdict() -> None:
    twice = [(predicted(1, scored(0.95)), 0.1, "violation")] * 2  # lost, judged once
    new = [(predicted(2, scored(0.1)), 0.9, None)] * 3
    found = trial_of(*twice, *new).by_domain[DOMAIN]
    assert (found.events, found.alerts, found.happened) == (5, 1, 1)
    assert (found.new.alerts, len(found.new.examples)) == (1, 1)
    assert (found.lost.alerts, found.lost.violations, len(found.lost.examples)) == (1, 1, 1)
    assert (found.judged.right, found.judged.missed, found.judged_then.right) == (0, 1, 1)


def test_an_alert_stands_where_any_delivery_raised_it() -> None:
    found = trial_of(
        (predicted(1, scored(0.95)), 0.1, "no_violation"),  # lost, until the second delivery raises it too
        (predicted(1, scored(0.10)), 0.9, "no_violation"),
        (predicted(1, scored(0.10)), 0.1, "no_violation"),
    ).by_domain[DOMAIN]
    assert (found.alerts, found.happened, found.new.alerts, found.lost.alerts) == (1, 1, 0, 0)
    assert (found.judged.wrong, found.judged_then.wrong, found.lost.examples) == (1, 1, ())


@pytest.mark.parametrize("broken", [None, b"", b"{", b"[]", b'{"subject": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_prediction_is_skipped(broken: bytes | None) -> None:
    found = predicted_of(broken)
    assert isinstance(found, Skipped)
    assert found.reason == "not_a_prediction"


def test_a_load_tests_events_count_for_nothing() -> None:
    found = predicted_of(value(1, scored(0.5), message_id="stress-20261121T180000Z-3f9a1c-7"))
    assert found == Skipped("stress_run", "an event of a load test")


def test_the_text() -> None:
    events = [
        (predicted(1, scored(0.95), text="値切るなんて恥知らずのすることだ", hour=0), 0.91, "violation"),
        (predicted(2, scored(0.95), text="ご購入ありがとうございます", hour=1), 0.03, "no_violation"),
        (predicted(3, scored(0.12), text="黙れ、二度と連絡するな。" * 9, hour=5), 0.88, None),
        (predicted(4, scored(0.95), rules=[fired()], hour=6), 0.2, "violation"),
        (predicted(5, scored(0.02), hour=12), None, None),
        (predicted(6, scored(0.93), text="消えろ", hour=11), None, "violation"),
    ]
    trial = trial_of(*events)  # type: ignore[arg-type]
    trial.add(replace(predicted(7, scored(0.4), scored(0.5, version=2))), {NEW: 0.4999})
    trial.skip(Skipped("stress_run", "an event of a load test"), "predictions 3:17")
    trial.repeats = 2
    text = as_text(trial, {NEW: "build/message_harassment"}) + "\n"
    assert text == APPROVED.read_text("utf-8")
    body = report(trial, {NEW: "build/message_harassment"})
    found = body["domains"][DOMAIN]  # type: ignore[index]
    assert (found["tried"]["alerts"], found["tried"]["alerts_per_day"]) == (3, 6.0)
    assert found["lost"]["examples"][0]["violation"] is False
    assert body["masked_input"]["build/message_harassment"]["decided_otherwise"] == 0  # type: ignore[index]


def test_an_adaptive_threshold_is_tried_as_it_is_written_and_that_is_said() -> None:
    said = "harassment: adaptive; tried with the written threshold"
    for mode, adaptive in (("adaptive", True), ("fixed", False)):
        trial = trial_of((predicted(1, scored(0.95)), 0.9, None), tried=policy(budget_mode=mode))
        assert (said in as_text(trial, {})) is adaptive
        assert report(trial, {})["domains"][DOMAIN]["adaptive"] is adaptive  # type: ignore[index]


def test_figures_of_a_large_backtest_do_not_run_together() -> None:
    trial = ModelTrial(policy(), [DOMAIN], {})
    for number in range(3):
        trial.add(predicted(number, scored(0.95), hour=number), {NEW: 0.9})
    trial.last_us = trial.first_us + 2000  # type: ignore[operator]
    lines = as_text(trial, {}).splitlines()
    assert [line.split() for line in lines[2:5]] == [
        ["domain", "alerts", "a", "day", "judged", "precision", "violations", "found"],
        ["harassment", "tried", "3", "129,600,000.0", "0", "-", "-"],
        ["happened", "3", "129,600,000.0", "0", "-", "-"],
    ]


def test_nothing_at_all() -> None:
    trial = ModelTrial(policy(), [DOMAIN], {})
    assert as_text(trial, {}).startswith("no events in 0.00 days")
    assert report(trial, {})["domains"][DOMAIN]["tried"]["alerts_per_day"] is None  # type: ignore[index]
