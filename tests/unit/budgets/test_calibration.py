"""Proposed thresholds: what they would have let through, how sure they are, and what verdicts say of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerts import Role
from streams.budgets.calibration import Calibration, calibrate, first_hour, whole_days, written_as
from streams.policy import Domain, ModelRef, Trial
from streams.review.alerted import ByModel, ByRule, RaisedBy
from streams.review.book import Book, Case
from streams.statistics.bins import bin_of, events_from, score_at
from streams.statistics.records import HOUR_US, hour_of
from tests.unit.budgets.counted import book_of, hours_of
from tests.unit.review.making import alerted, verdict

HOUR = 490_000
CHAMPION = ModelRef("message_contact", 3, 0.9)
CHALLENGER = ModelRef("message_contact", 4, 0.8)
DOMAIN = Domain("contact", "Exchanges contacts", "message", "medium", CHAMPION, alerts_per_day=600)
BOTH: tuple[Role, ...] = ("champion", "challenger")


def by(score: float, *, version: int = 3, role: Role = "champion") -> ByModel:
    return ByModel("message_contact", str(version), role, score, 0.5)


def cases(*alerts: tuple[tuple[RaisedBy, ...], str | None]) -> list[Case]:
    book = Book()
    for number, (raised_by, word) in enumerate(alerts):
        book.add_alert(alerted(f"a{number}", *raised_by))
        if word:
            book.add_verdict(f"a{number}", verdict(word))  # type: ignore[arg-type]
    return list(book.all_cases())


def calibrated(
    domain: Domain = DOMAIN, *, days: int = 3, judged: list[Case] | None = None, **options: object
) -> Calibration:
    hours = range(HOUR - 24 * days, HOUR)
    return calibrate(
        domain,
        book_of(hours_of(domain, hours)),
        whole_days(hours, now_hour=HOUR, since_hour=0),
        roles=BOTH,
        cases=judged or [],
        most_share=float(options.get("most_share", 0.1)),  # type: ignore[arg-type]
    )


def test_the_proposal_lets_through_what_rules_leave_of_the_budget() -> None:
    found = calibrated()
    (one,) = found.proposals
    assert found.days == 3
    assert found.by_rules_per_day == 120
    assert found.events_per_day == 24 * 10_005
    assert one.per_day == pytest.approx(480, rel=0.01)  # half of the 40 an hour at 0.93 and above are wanted
    assert bin_of(one.threshold) == bin_of(0.93)
    assert one.standing_per_day == pytest.approx(24 * 40)
    assert found.alerts_per_day == pytest.approx(600, rel=0.01)
    assert one.low < one.threshold < one.high
    assert one.day_low < one.per_day < one.day_high
    assert one.unjudged_per_day == 0
    assert not one.capped
    assert not one.too_few


def test_the_interval_covers_the_true_threshold_about_as_often_as_it_says() -> None:
    """Poisson days whose true threshold is known: of 200 intervals at least 180 hold it (95 % are 190, sd 3)."""
    draw = np.random.default_rng(5)
    places = range(0, 128)
    means = [3.0 * 0.97**place for place in places]
    domain = replace(DOMAIN, alerts_per_day=400)
    # 24 hours of these means give 400 alerts from this place on
    total = {place: 24 * mean for place, mean in zip(places, means, strict=True)}
    true = next(p for p in np.arange(0, 128, 0.01) if events_from(total, score_at(p)) <= 400)
    held = 0
    for number in range(200):
        hours = range(HOUR - 48, HOUR)
        counts = chain.from_iterable(
            hours_of(
                domain,
                [hour],
                alone={score_at(p + 0.5): int(n) for p, n in zip(places, draw.poisson(means), strict=True)}
                | {0.01: 5_000},
                by_rules=0,
                instance=str(number),
            )
            for hour in hours
        )
        (one,) = calibrate(
            domain,
            book_of(counts),
            whole_days(hours, now_hour=HOUR, since_hour=0),
            roles=BOTH,
            cases=[],
            most_share=0.1,
        ).proposals
        held += one.low <= score_at(true) <= one.high
    assert 180 <= held <= 200


def test_a_challenger_beside_takes_half_and_what_both_raise_is_reviewed_once() -> None:
    beside = replace(DOMAIN, challenger=replace(CHALLENGER, threshold=0.9), alerts_per_day=360)
    both_raise = ((by(0.995), by(0.996, version=4, role="challenger")), None)
    found = calibrated(beside, judged=cases(*[both_raise] * 30))
    assert [one.role for one in found.proposals] == ["champion", "challenger"]
    assert [round(one.per_day) for one in found.proposals] == [120, 120]
    assert found.by_both == 10
    assert found.alerts_per_day == pytest.approx(120 + 240 - 10, abs=1)


def test_what_both_raise_below_the_standing_thresholds_nobody_knows() -> None:
    beside = replace(DOMAIN, challenger=CHALLENGER, alerts_per_day=4_000)
    found = calibrated(beside)
    assert found.by_both is None
    assert found.proposals[0].unjudged_per_day > 0


@pytest.mark.parametrize(("mode", "share", "alerts"), [("shadow", 0.0, 600), ("canary", 0.25, 600)])
def test_a_shadow_adds_no_alerts_and_a_canary_divides_them(mode: str, share: float, alerts: int) -> None:
    domain = replace(DOMAIN, challenger=CHALLENGER, trial=Trial(mode, share))  # type: ignore[arg-type]
    found = calibrated(domain)
    assert [round(one.per_day, -1) for one in found.proposals] == [480, 480]
    assert found.alerts_per_day == pytest.approx(alerts, rel=0.01)


def test_precision_is_of_verdicts_on_alerts_by_the_model_alone_at_or_above_the_threshold() -> None:
    judged = cases(
        ((by(0.99),), "violation"),
        ((by(0.98),), "violation"),
        ((by(0.97),), "no_violation"),
        ((by(0.96),), "unsure"),
        ((by(0.95),), None),
        ((by(0.5),), "no_violation"),
        ((by(0.99), ByRule("r")), "no_violation"),
        ((by(0.99, version=2),), "no_violation"),
    )
    (one,) = calibrated(judged=judged).proposals
    assert (one.precision.value, one.precision.of) == (pytest.approx(2 / 3), 3)


def test_a_budget_above_the_valves_share_is_cut_and_few_alerts_are_said() -> None:
    (large,) = calibrated(replace(DOMAIN, alerts_per_day=100_000)).proposals
    assert large.capped
    assert large.per_day == pytest.approx(0.1 * 24 * 10_005, rel=0.02)
    (small,) = calibrated(replace(DOMAIN, alerts_per_day=5), days=1).proposals
    assert small.too_few


def test_a_version_that_scored_half_the_events_is_measured_on_those() -> None:
    hours = range(HOUR - 48, HOUR)
    newer = replace(DOMAIN, champion=replace(CHAMPION, version=5))
    counts = chain(hours_of(DOMAIN, hours[:24]), hours_of(newer, hours[24:]))
    (one,) = calibrate(
        newer,
        book_of(counts),
        whole_days(hours, now_hour=HOUR, since_hour=0),
        roles=BOTH,
        cases=[],
        most_share=0.1,
    ).proposals
    assert one.per_day == pytest.approx(480, rel=0.01)


@pytest.mark.parametrize(
    ("domain", "days", "reason"),
    [
        (replace(DOMAIN, alerts_per_day=None), 1, "no budget"),
        (DOMAIN, 0, "24 hours"),
        (replace(DOMAIN, champion=None), 1, "no model"),
    ],
)
def test_what_cannot_be_calibrated_is_said(domain: Domain, days: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        calibrated(domain, days=days)


def test_days_are_whole_and_go_back_from_the_last_full_hour() -> None:
    assert whole_days([], now_hour=HOUR, since_hour=0) == []
    assert whole_days([HOUR - 23], now_hour=HOUR, since_hour=0) == []
    assert whole_days([HOUR - 60, HOUR - 1, HOUR], now_hour=HOUR, since_hour=0) == [
        range(HOUR - 24, HOUR),
        range(HOUR - 48, HOUR - 24),
    ]
    assert whole_days([HOUR - 60], now_hour=HOUR, since_hour=HOUR - 47) == [range(HOUR - 24, HOUR)]


@given(st.integers(1, 30), st.integers(HOUR * HOUR_US, (HOUR + 30) * HOUR_US), st.integers(0, 60_000_000))
def test_as_many_days_are_counted_as_are_asked_for_whatever_the_time(
    days: int, asked_us: int, took_us: int
) -> None:
    """It counts back from when the command line was read, which is a moment before the hour is looked at."""
    now_us = asked_us + took_us
    since_hour = first_hour(asked_us - 24 * days * HOUR_US, now_us=now_us)
    found = whole_days(range(0, hour_of(now_us) + 1), now_hour=hour_of(now_us), since_hour=since_hour)
    assert len(found) == days


def test_from_the_start_is_from_the_first_hour_counted() -> None:
    now_us = HOUR * HOUR_US + 1
    assert first_hour(0, now_us=now_us) <= 0
    assert first_hour(now_us - 5 * HOUR_US, now_us=now_us) == HOUR - 5


@pytest.mark.parametrize(
    ("threshold", "written"), [(0.12345678, 0.123457), (0.99999999, 0.999999), (1.0, 1.0), (0.5, 0.5)]
)
def test_thresholds_have_the_digits_of_the_file(threshold: float, written: float) -> None:
    assert written_as(threshold) == written
