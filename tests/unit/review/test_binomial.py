"""Exact binomial limits against scipy, and against what they promise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from streams.review.binomial import at_most, number_limits, share_limits


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.0, 1.0))
def test_the_probability_of_so_many_or_fewer(one: int, other: int, chance: float) -> None:
    found, of = sorted((one, other))
    assert at_most(found, of, chance) == pytest.approx(float(stats.binom.cdf(found, of, chance)), abs=1e-9)


@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from([0.05, 0.01]))
def test_the_limits_of_a_share_are_those_of_clopper_and_pearson(one: int, other: int, miss: float) -> None:
    found, of = sorted((one, other))
    low, high = share_limits(found, of, miss)
    if of == 0:
        assert (low, high) == (0.0, 1.0)
        return
    expected = stats.binomtest(found, of).proportion_ci(1 - miss, method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_of_none_found_the_rule_of_three() -> None:
    """Hanley and Lippman-Hand 1983: with 95 % on one side at most about 3 / n."""
    assert share_limits(0, 1000, 0.10)[1] == pytest.approx(3 / 1000, rel=0.01)
    assert number_limits(0, 0.001, 0.10)[1] == pytest.approx(3 / 0.001, rel=0.01)


@given(st.integers(0, 60), st.floats(0.001, 1.0))
def test_the_limits_of_a_number_are_where_the_test_turns(found: int, chance: float) -> None:
    low, high = number_limits(found, chance, 0.05)
    assert found <= low <= high
    assert float(stats.binom.sf(found - 1, low, chance)) >= 0.025 - 1e-9
    assert low == found or float(stats.binom.sf(found - 1, low - 1, chance)) < 0.025 + 1e-9
    assert high == found or float(stats.binom.cdf(found, high, chance)) >= 0.025 - 1e-9
    assert float(stats.binom.cdf(found, high + 1, chance)) < 0.025 + 1e-9


def test_who_sees_everything_knows_the_number_and_who_sees_nothing_does_not() -> None:
    assert number_limits(7, 1.0, 0.05) == (7, 7)
    assert number_limits(0, 0.0, 0.05) == (0, math.inf)
