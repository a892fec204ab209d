"""Shares of few cases: Wilson's interval as scipy has it, and the mean of days by what chance does to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from streams.review.shares import NO_SHARE, mean_share, share, wilson


@given(st.integers(1, 500), st.data())
def test_wilson_is_that_of_scipy(of: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, of))
    interval = binomtest(found, of).proportion_ci(method="wilson")
    assert wilson(found, of) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_wilson_of_nothing_is_all() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert share(0, 0) == NO_SHARE


@given(st.lists(st.integers(0, 40).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))))
def test_a_mean_lies_in_its_interval_and_days_of_nothing_do_not_count(days: list[tuple[int, int]]) -> None:
    mean = mean_share(days)

    assert mean == mean_share([day for day in days if day[1]])
    if mean.value is not None:
        assert 0 <= mean.low <= mean.value + 1e-12
        assert mean.value - 1e-12 <= mean.high <= 1
        assert mean.of == sum(of for _, of in days)


def test_days_of_equal_size_are_one_share_of_all_their_cases() -> None:
    mean, pooled = mean_share([(8, 10), (6, 10), (10, 10)]), share(24, 30)

    assert (mean.value, mean.low, mean.high) == pytest.approx((pooled.value, pooled.low, pooled.high))


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(7)
    sizes = [3, 5, 40, 12, 8]
    held = 0
    for _ in range(2000):
        mean = mean_share([(int(chance.binomial(n, 0.7)), n) for n in sizes])
        held += mean.low <= 0.7 <= mean.high

    assert 0.93 < held / 2000 < 0.975  # 95 % promised; ±2 % is four standard errors of 2,000 trials
