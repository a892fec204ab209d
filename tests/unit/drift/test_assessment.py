from __future__ import annotations

import numpy as np
import pytest

from streams.drift.assessment import assess, assess_series
from streams.drift.book import Compared, DriftBook, InputSeries, ScoreSeries
from streams.drift.levels import Level, usual
from streams.drift.periods import Periods
from streams.drift.precision import PrecisionDrift
from streams.review.quality import Source, Tally
from streams.statistics.bins import bin_of
from streams.statistics.records import InputCounts, ScoreCounts

SERIES = ScoreSeries("harassment", "message_harassment", 1)
DAYS = 28
PERIODS = Periods(reference=0, current=DAYS * 24, end=(DAYS + 1) * 24)


def day(order: np.random.Generator, number: int, *, events: int = 2_000, logit: float = -4.0) -> ScoreCounts:
    counts: dict[int, int] = {}
    for value in order.normal(logit, 2.0, events):
        place = bin_of(1 / (1 + np.exp(-value)))
        counts[place] = counts.get(place, 0) + 1
    return ScoreCounts(
        instance="a", hour=24 * number + 3, domain="harassment", model="message_harassment", version=1,
        role="champion", alone=counts,
    )  # fmt: skip


def book_of(*records: ScoreCounts | InputCounts) -> DriftBook:
    book = DriftBook()
    for record in records:
        book.add(record)
    return book


def level_after(logits: list[float]) -> Level:
    """The level of the last of these days, each with scores about the logit given."""
    order = np.random.default_rng(3)
    records = [day(order, number, logit=logit) for number, logit in enumerate(logits, start=DAYS + 1 - len(logits))]  # fmt: skip
    return assess(book_of(*records), PERIODS).level


def test_the_same_traffic_is_steady() -> None:
    assert level_after([-4.0] * (DAYS + 1)) == Level.STEADY


@pytest.mark.parametrize(
    ("moved", "level"), [(0.2, Level.STEADY), (0.8, Level.WATCH), (2.0, Level.DRIFTED), (-2.0, Level.DRIFTED)]
)
def test_scores_that_move(moved: float, level: Level) -> None:
    """One deviation is 2: a move of 0.8 is a population stability of 0.16, of 2.0 one of 1."""
    assert level_after([-4.0] * DAYS + [-4.0 + moved]) == level


def test_a_weekend_that_is_otherwise_every_week_is_usual() -> None:
    weeks = [-4.0, -4.0, -4.0, -4.0, -4.0, -2.6, -2.6] * 5
    assert level_after(weeks[:29]) == Level.STEADY, "a weekday"
    assert level_after(weeks[6 : 6 + 29]) == Level.STEADY, "a Sunday"
    assert level_after(([-4.0] * 28) + [-2.6]) >= Level.WATCH, "the same scores where no day was like it"


def test_drift_that_goes_on_stays_drift_for_a_week() -> None:
    for days in range(1, 8):
        assert level_after([-4.0] * (29 - days) + [-2.0] * days) == Level.DRIFTED, days


def test_few_events_are_no_ground_for_anything() -> None:
    order = np.random.default_rng(3)
    book = book_of(day(order, 27, events=5_000), day(order, 28, events=999, logit=3.0))
    (drift,) = assess(book, PERIODS).scores
    assert (drift.level, drift.reference_events, drift.current_events) == (Level.TOO_FEW, 5_000, 999)


def test_a_version_that_is_new_has_no_reference() -> None:
    (drift,) = assess(book_of(day(np.random.default_rng(3), 28)), PERIODS).scores
    assert drift.level == Level.TOO_FEW


def test_the_highest_scores_are_watched_by_themselves() -> None:
    """A wave of violations: 1.5 % instead of 0.5 % score above 0.95; no tenth of the events moves by much."""
    before = {-128: 99_500.0, 96: 500.0}
    now = {-128: 9_850.0, 96: 150.0}
    drift = assess_series(SERIES, Compared(now, (), before))
    assert drift.measures["psi"].level == drift.measures["ks"].level == Level.STEADY
    assert drift.measures["top"].level == Level.WATCH
    assert drift.moved is not None
    assert (drift.moved.before, drift.moved.now) == (0.005, 0.015)


def facts(number: int, **counts: int) -> InputCounts:
    named = {f"script={name}": count for name, count in counts.items()}
    return InputCounts(instance="a", hour=24 * number, kind="message", facts=named)


def test_another_mix_of_languages_is_found_and_named() -> None:
    records = [facts(number, japanese=950, latin=50) for number in range(DAYS)]
    found = assess(book_of(*records, facts(28, japanese=600, latin=400)), PERIODS).inputs
    (script,) = [drift for drift in found if drift.level != Level.TOO_FEW]
    assert script.series == InputSeries("message", "script")
    assert script.level == Level.DRIFTED
    assert script.moved is not None
    assert script.moved.place in {"japanese", "latin"}
    assert abs(script.moved.now - script.moved.before) == pytest.approx(0.35)


def test_one_domain_of_several() -> None:
    order = np.random.default_rng(3)
    precision = [
        PrecisionDrift(Source(name), Tally(violation=9), Tally(violation=9)) for name in ("harassment", "x")
    ]
    book = book_of(day(order, 27), day(order, 28), facts(27, latin=500), facts(28, latin=500))
    found = assess(book, PERIODS, precision=precision, domain="x")
    assert not found.scores
    assert [drift.source.domain for drift in found.precision] == ["x"]
    assert found.inputs, "inputs are of all domains"


def test_what_is_usual_needs_a_week_before_the_newest() -> None:
    assert usual([0.5] * 6) is None
    assert usual([0.5] * 8) is None, "six days before the newest two"
    assert usual([None] * 28) is None
    assert usual([0.9] * 7 + [0.2, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1] * 3) == pytest.approx(0.25)


def test_one_odd_day_is_not_usual() -> None:
    assert usual([0.1] * 20 + [5.0] + [0.1] * 7) == pytest.approx(0.125)
