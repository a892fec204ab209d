from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.drift.levels import PRECISION, Level
from streams.drift.precision import chance_of_fewer, comparison, precision_drift
from streams.review.quality import Source, Tally

tallies = st.builds(Tally, violation=st.integers(0, 300), no_violation=st.integers(0, 300))


def judged(violations: int, of: int) -> Tally:
    return Tally(violation=violations, no_violation=of - violations)


@given(tallies, tallies)
def test_the_chance_is_that_of_fishers_exact_test(reference: Tally, current: Tally) -> None:
    stats = pytest.importorskip("scipy.stats")
    table = [[tally.violation, tally.no_violation] for tally in (current, reference)]
    exact = stats.fisher_exact(table, alternative="less").pvalue
    assert chance_of_fewer(reference, current) == pytest.approx(exact, rel=1e-6, abs=1e-12)


def test_many_verdicts_underflow_nothing() -> None:
    assert chance_of_fewer(judged(90_000, 100_000), judged(400, 1_000)) < 1e-100
    assert chance_of_fewer(judged(90_000, 100_000), judged(900, 1_000)) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("current", "level"),
    [
        (Tally(), Level.TOO_FEW),
        (Tally(pending=500, unsure=3), Level.TOO_FEW),
        (judged(3, 5), Level.STEADY),
        (judged(90, 100), Level.STEADY),
        (judged(860, 1_000), Level.STEADY),
        (judged(100, 100), Level.STEADY),
        (judged(820, 1_000), Level.WATCH),
        (judged(60, 100), Level.DRIFTED),
    ],
)
def test_fewer_confirmed_alerts(current: Tally, level: Level) -> None:
    drift = comparison(Source("harassment"), judged(900, 1_000), current)
    assert drift.level == level
    assert (drift.chance is None) == (drift.fall is None or drift.fall < PRECISION.watch)


def test_the_last_week_stands_against_the_days_before() -> None:
    rule, patrol = Source("harassment", "rule", "r1"), Source("patrol", "patrol")
    days = {day: {rule: judged(9, 10), patrol: judged(1, 10)} for day in range(100, 123)}
    days |= {day: {rule: judged(4, 10)} for day in range(123, 131)}
    (drift,) = precision_drift(days, today=129)
    assert drift == comparison(rule, judged(9 * 23, 230), judged(28, 70))
    assert drift.fall == pytest.approx(0.5)
    assert drift.level == Level.DRIFTED
