"""Score histograms: where scores fall, that sums do not depend on their order, and what a threshold cuts off."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.statistics.bins import (
    HIGHEST_BIN,
    LOWEST_BIN,
    added,
    bin_of,
    cut_for,
    events_from,
    events_in,
    logit,
    score_at,
)

SCORES = st.floats(0.0, 1.0)
HISTOGRAMS = st.dictionaries(st.integers(LOWEST_BIN, HIGHEST_BIN), st.integers(1, 10_000), max_size=30)


@given(SCORES)
def test_a_score_lies_between_the_edges_of_its_bin(score: float) -> None:
    place = bin_of(score)
    assert LOWEST_BIN <= place <= HIGHEST_BIN
    if place > LOWEST_BIN:
        assert score >= score_at(place) * (1 - 1e-9)
    if place < HIGHEST_BIN:
        assert score <= score_at(place + 1) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("score", "place"),
    [
        (0.0, LOWEST_BIN),
        (-3.0, LOWEST_BIN),
        (1e-12, LOWEST_BIN),
        (0.5, 0),
        (1.0, HIGHEST_BIN),
        (7.0, HIGHEST_BIN),
    ],
)
def test_scores_at_and_beyond_the_ends(score: float, place: int) -> None:
    assert bin_of(score) == place


def test_the_largest_float32_below_one_does_not_fall_off_the_scale() -> None:
    assert bin_of(float(np.nextafter(np.float32(1), np.float32(0)))) == HIGHEST_BIN


@given(SCORES, SCORES)
def test_a_higher_score_is_never_in_a_lower_bin(one: float, other: float) -> None:
    assert bin_of(min(one, other)) <= bin_of(max(one, other))
    assert logit(min(one, other)) <= logit(max(one, other))


@given(st.lists(HISTOGRAMS, max_size=6), st.randoms(use_true_random=False))
def test_a_sum_does_not_depend_on_the_order(histograms: list[dict[int, int]], order: random.Random) -> None:
    shuffled = histograms[:]
    order.shuffle(shuffled)
    assert added((h, 1.0) for h in histograms) == added((h, 1.0) for h in shuffled)


@given(HISTOGRAMS, st.floats(0.01, 20_000))
def test_a_cut_lets_through_what_was_wanted_or_all_there_is(histogram: dict[int, int], wanted: float) -> None:
    cut = cut_for(histogram, wanted)
    assert cut.events == pytest.approx(min(wanted, events_in(histogram)))
    assert events_from(histogram, cut.threshold) == pytest.approx(cut.events, rel=1e-3, abs=1e-3)


@given(HISTOGRAMS, st.floats(0.01, 5_000), st.floats(0.01, 5_000))
def test_more_events_wanted_never_raise_the_threshold(
    histogram: dict[int, int], one: float, other: float
) -> None:
    fewer, more = sorted((one, other))
    assert cut_for(histogram, more).threshold <= cut_for(histogram, fewer).threshold


def test_nothing_counted_cuts_off_everything() -> None:
    assert cut_for({}, 5) == (cut_for({0: 0}, 5)) or cut_for({}, 5).threshold == 1.0
    assert cut_for({}, 5).events == 0


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("wanted", [50, 500, 20_000])
def test_the_tail_of_a_million_events_is_met_within_a_hundredth_beyond_chance(
    deviation: float, wanted: int
) -> None:
    """The threshold from the bins against the exact one of the same events: the bins' own error, without chance."""
    logits = np.random.default_rng(7).normal(-3.0, deviation, 1_000_000)
    scores = 1 / (1 + np.exp(-logits))
    counted = dict(
        zip(*(each.tolist() for each in np.unique(np.floor(logits * 32), return_counts=True)), strict=True)
    )
    assert all(bin_of(score) in counted for score in scores[:1000].tolist())
    reached = int((scores >= cut_for(counted, wanted).threshold).sum())
    # In a bin of n events evenly drawn, the one at a given part of it is n/12 events off in variance, at most n/4.
    in_bin = counted[bin_of(cut_for(counted, wanted).threshold)]
    assert abs(reached - wanted) <= 0.01 * wanted + 3 * math.sqrt(in_bin / 4)
