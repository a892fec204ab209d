from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.stress.measures import histogram, percentiles, rank

VALUES_S = st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=300)


def test_nothing_has_no_percentiles() -> None:
    assert percentiles(np.array([])) is None
    assert histogram(np.array([])) == []


def test_percentiles_of_a_thousand_by_hand() -> None:
    figures = percentiles(np.arange(1, 1_001)[::-1] / 1000)
    assert figures is not None
    assert (figures.p50_ms, figures.p90_ms, figures.p99_ms, figures.p999_ms, figures.max_ms) == (
        500, 900, 990, 999, 1000,
    )  # fmt: skip
    assert figures.count == 1_000


@given(count=st.integers(1, 10_000), share=st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0]))
def test_the_rank_is_the_least_that_leaves_the_share_below_or_at_it(count: int, share: float) -> None:
    at = rank(count, share)
    permille = round(share * 1000)
    assert (at + 1) * 1000 >= permille * count
    assert at * 1000 < permille * count


@given(VALUES_S)
def test_a_percentile_is_a_value_that_was_measured(values_s: list[float]) -> None:
    figures = percentiles(np.array(values_s))
    assert figures is not None
    known = {round(value * 1000.0, 3) for value in values_s}
    assert {figures.p50_ms, figures.p90_ms, figures.p99_ms, figures.p999_ms, figures.max_ms} <= known
    assert figures.p50_ms <= figures.p90_ms <= figures.p99_ms <= figures.p999_ms <= figures.max_ms


@given(VALUES_S)
def test_the_histogram_holds_every_value_once_in_a_row_that_reaches_it(values_s: list[float]) -> None:
    rows = histogram(np.array(values_s))
    edges = [edge for edge, _ in rows]
    assert edges == sorted(set(edges))
    assert sum(count for _, count in rows) == len(values_s)
    largest_ms = max(values_s) * 1000
    # Edges are written with three digits.
    assert edges[-1] * 1.005 >= largest_ms > edges[-1] / 10**0.1 * 0.995


def test_a_clock_that_lags_gives_no_negative_row() -> None:
    assert histogram(np.array([-0.5, 0.0])) == [(0.001, 2)]
