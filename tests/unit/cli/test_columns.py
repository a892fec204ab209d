"""Columns of text: aligned by what a terminal shows, and never cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from streams.cli.columns import aligned

CELLS = st.text("ab 詐欺1", max_size=60)


def test_first_cells_are_to_the_left_and_the_others_to_the_right() -> None:
    rows = [("model", "role", "of"), ("詐欺", "champion", "7")]
    assert aligned(rows) == ["model      role  of", "詐欺   champion   7"]
    assert aligned(rows, to_the_left=2) == ["model  role      of", "詐欺   champion   7"]


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_every_cell_is_there_and_all_lines_are_equally_wide(rows: list[tuple[str, str, str]]) -> None:
    lines = aligned(rows)
    assert len({cell_len(line) for line in lines}) == 1
    for row, line in zip(rows, lines, strict=True):
        assert all(cell in line for cell in row)


def test_rows_of_different_lengths_are_no_table() -> None:
    with pytest.raises(ValueError, match="shorter"):
        aligned([("a", "b"), ("c",)])
