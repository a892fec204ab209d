"""The page about scaling says what the figures say, and which goals are not met."""

from __future__ import annotations

import pytest

from benchmarks.scaling.report import FILES, page
from tests.unit.benchmarks.scaling.made_results import case, of_costs, result


def test_the_committed_page_is_made_of_the_committed_figures() -> None:
    assert FILES.page.exists() == FILES.json.exists()
    if not FILES.json.exists():
        pytest.skip("there is no recorded run yet")
    assert FILES.page.read_text("utf-8") == page(FILES.load())


def test_medians_spreads_and_ratios_of_the_first_row() -> None:
    written = page(result())
    assert "| 3 domains | 200 | 600 | 800 | 800 – 800 | 1.00 | 100 | 5.0 | 10 |" in written
    assert "| 10 domains | 300 | 1,700 | 2,000 | 1,900 – 2,250 | 2.50 | 100 | 5.0 | 10 |" in written


def test_goals_that_are_not_met_are_named() -> None:
    made = result()
    written = page(made)
    assert "2.00 ms, met." in written
    assert "at most 1.5 times: 1.60 times, **not met**." in written
    assert "Goal, memory: the time per event flat (at most 1.1 times)" in written
    assert "1,001,000 conversations: 1.05 times, met." in written
    assert "1,001,000 conversations: 1.20 times, **not met**." in written
    made["axes"]["domains"]["cases"][1] = case(10, "10 domains", of_costs((301.0, 1_700.0)))
    assert "2.00 ms, **not met**." in page(made)


def test_a_conversation_costs_what_the_largest_state_takes_more_than_the_least() -> None:
    written = page(result())
    assert "| 1,001,000 | memory | 1,200 | 1,000 | 3.0 | 7.0 |" in written
    assert "| 1,001,000 | rocksdb | 700 | 500 | 3.0 | 12.0 |" in written


def test_the_encoder_is_a_share_of_workers_and_models() -> None:
    assert "| 1 picture | 3,000 | 7,000 | 6,000 | 10,000 | 10,000 – 10,000 | 60 % |" in page(result())


def test_axes_that_were_not_measured_are_left_out() -> None:
    made = result()
    del made["axes"]["images"]
    assert "Listings with pictures" not in page(made)
