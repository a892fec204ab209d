from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.drift import levels
from streams.drift.measures import (
    CHANCE,
    chi_square_quantile,
    cuts_of,
    grouped,
    kolmogorov_smirnov,
    stability,
    times_as_many,
    top_of,
)
from streams.statistics.bins import bin_of

stats = pytest.importorskip("scipy.stats")

histograms = st.dictionaries(st.integers(-512, 511), st.integers(1, 10_000), min_size=1)


def scores(deviations: float, *, events: int = 1_000_000) -> dict[int, float]:
    """Scores whose logits are normal, moved by so many deviations: exact shares, not a sample."""
    edges = np.arange(-300, 301)
    shares = np.diff(stats.norm.cdf(edges / 32, loc=deviations - 1))
    return {int(edge): float(share * events) for edge, share in zip(edges, shares, strict=False)}


def drawn(order: np.random.Generator, shares: list[float], events: int) -> dict[int, float]:
    return {place: float(n) for place, n in enumerate(order.multinomial(events, shares)) if n}


@pytest.mark.parametrize(
    ("deviations", "index", "difference"), [(math.sqrt(0.1), 0.1, 0.1256), (0.5, 0.25, 0.1974)]
)
def test_both_measures_know_the_normal_distribution_that_moves(
    deviations: float, index: float, difference: float
) -> None:
    before, now = scores(0.0), scores(deviations)
    fine = cuts_of(before, groups=200)
    assert stability(grouped(before, fine), grouped(now, fine)).value == pytest.approx(index, rel=0.03)
    assert kolmogorov_smirnov(before, now).value == pytest.approx(difference, abs=0.002)
    assert 2 * stats.norm.cdf(deviations / 2) - 1 == pytest.approx(difference, abs=5e-5)


def test_the_levels_of_the_difference_are_those_of_the_index() -> None:
    """docs/drift.md and `levels` say that they mean the same move of a normal distribution."""
    for index, difference in (
        (levels.STABILITY.watch, levels.KOLMOGOROV_SMIRNOV.watch),
        (levels.STABILITY.drifted, levels.KOLMOGOROV_SMIRNOV.drifted),
    ):
        assert difference == pytest.approx(2 * stats.norm.cdf(math.sqrt(index) / 2) - 1, abs=1e-3)


@given(histograms)
def test_a_histogram_lies_nowhere_but_at_itself(histogram: dict[int, float]) -> None:
    assert stability(histogram, histogram).value == 0
    assert kolmogorov_smirnov(histogram, histogram).value == pytest.approx(0, abs=1e-12)


@given(histograms, histograms)
def test_the_measures_are_finite_and_of_their_range(before: dict[int, float], now: dict[int, float]) -> None:
    index, difference = stability(before, now), kolmogorov_smirnov(before, now)
    assert 0 <= index.value < 100
    assert 0 <= difference.value <= 1 + 1e-12
    assert index.by_chance >= 0
    assert difference.by_chance > 0


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=60), st.lists(st.floats(0.01, 0.99), min_size=1, max_size=60))  # fmt: skip
def test_the_largest_difference_is_scipys_on_the_same_bins(before: list[float], now: list[float]) -> None:
    bins = [bin_of(score) for score in before], [bin_of(score) for score in now]
    ours = kolmogorov_smirnov(Counter(bins[0]), Counter(bins[1])).value
    assert ours == pytest.approx(stats.ks_2samp(*bins, method="asymp").statistic)


@pytest.mark.parametrize("measure", [stability, kolmogorov_smirnov])
def test_without_events_there_is_nothing_to_compare(measure: object) -> None:
    with pytest.raises(ValueError, match="without events"):
        measure({}, {0: 1})  # type: ignore[operator]


@pytest.mark.parametrize("degrees", range(1, 60))
def test_the_quantile_of_chi_square(degrees: int) -> None:
    exact = stats.chi2.isf(CHANCE, degrees)
    most = 1.075 if degrees < 6 else 1.025
    assert exact * 0.999 <= chi_square_quantile(degrees) <= exact * most


@pytest.mark.parametrize(
    ("shares", "reference", "current"),
    [
        ([0.1] * 10, 28_000, 1_000),
        ([0.1] * 10, 2_800, 100),
        ([0.1] * 10, 120, 120),
        ([0.9, 0.09, 0.009, 0.0009, 0.0001], 28_000, 1_000),
        ([0.5, 0.5], 700, 100),
        ([0.97, 0.01, 0.01, 0.005, 0.004, 0.001], 2_800, 100),
    ],
)
def test_chance_alone_is_not_taken_for_drift(shares: list[float], reference: int, current: int) -> None:
    """Of 3,000 pairs of samples of the same traffic 0.3 are to be expected beyond the limit; 4 happen once in 4,000."""
    order = np.random.default_rng(7)
    beyond = Counter[str]()
    for _ in range(3_000):
        before, now = drawn(order, shares, reference), drawn(order, shares, current)
        beyond["psi"] += not stability(before, now).is_chance
        beyond["ks"] += not kolmogorov_smirnov(before, now).is_chance
        halves = [grouped(counts, [len(shares) - 2]) for counts in (before, now)]
        beyond["top"] += not times_as_many(*halves).is_chance
    assert max(beyond.values()) <= 4, beyond


def test_a_reference_is_cut_into_groups_of_about_equal_size() -> None:
    reference = scores(0.0)
    groups = grouped(reference, cuts_of(reference))
    assert len(groups) == 10
    assert min(groups.values()) > 0.09 * sum(reference.values())


def test_scores_that_most_events_share_are_one_group() -> None:
    reference = {-512: 950.0, -5: 30.0, 7: 20.0}
    assert cuts_of(reference) == [-5]
    assert grouped(reference, [-5]) == {0: 950, 1: 50}


@given(histograms, st.integers(2, 20))
def test_groups_hold_every_event_once(histogram: dict[int, float], groups: int) -> None:
    cuts = cuts_of(histogram, groups)
    assert cuts == sorted(set(cuts))
    assert len(cuts) < groups
    assert sum(grouped(histogram, cuts).values()) == sum(histogram.values())


def test_the_highest_scores_hold_at_least_their_share() -> None:
    assert top_of({0: 990, 1: 6, 2: 4}, 0.005) == 1
    assert top_of({0: 990, 1: 5, 2: 5}, 0.005) == 2
    assert top_of({3: 10}, 0.005) == 3


def test_how_many_times_as_many_score_high() -> None:
    before, now = {0: 99_500.0, 1: 500.0}, {0: 9_800.0, 1: 200.0}
    assert math.exp(times_as_many(before, now).value) == pytest.approx(4.0, rel=0.01)
    assert not times_as_many(before, now).is_chance
    assert times_as_many(before, {0: 97.0, 1: 3.0}).is_chance, "three of a hundred may be chance"
    assert times_as_many({0: 28_000 - 140, 1: 140}, {0: 1_000, 1: 0}).is_chance, "so may none of five"
    assert not times_as_many({0: 280_000 - 1_400, 1: 1_400}, {0: 10_000, 1: 10}).is_chance, "ten of fifty"


@pytest.mark.parametrize(
    ("reference", "current", "top"), [(28_000, 1_000, 140), (900, 700, 60), (280_000, 10_000, 3_000)]
)
def test_what_chance_allows_is_what_the_exact_binomial_test_allows(
    reference: int, current: int, top: int
) -> None:
    for now in range(0, 4 * top * current // reference + 8):
        expected = stats.binom(top + now, current / (reference + current))
        tail = min(expected.cdf(now), expected.sf(now - 1))
        found = times_as_many({0: reference - top, 1: top}, {0: current - now, 1: now})
        assert found.is_chance == (tail > CHANCE / 2), now


def test_many_events_are_about_normal() -> None:
    """2 % more of 100,000 expected are 6 deviations, 0.8 % more are 2.5."""
    before = {0: 1_900_000, 1: 100_000}
    assert not times_as_many(before, {0: 1_898_000, 1: 102_000}).is_chance
    assert times_as_many(before, {0: 1_899_200, 1: 100_800}).is_chance


@pytest.mark.parametrize("reference", [280_000.0, 28_000_000.0])
def test_what_was_never_seen_weighs_the_same_however_long_the_reference(reference: float) -> None:
    def index(new: int) -> float:
        return stability({0: reference}, {0: 100_000.0 - new, 1: new}).value

    assert index(1_800) < levels.STABILITY.watch < index(2_000)
    assert index(4_000) < levels.STABILITY.drifted < index(4_300)
