"""Rows of text as aligned lines, each as long as it must be (pure).

A terminal wraps them, and a program or a pager has every column; rich's tables are cut at the width of the terminal, and
at 80 columns where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size


def aligned(rows: Sequence[Sequence[str]], *, to_the_left: int = 1) -> list[str]:
    """A line for each row: so many first cells to the left, the others to the right; wide characters count as two.

    Raises `ValueError` for rows of different lengths.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            set_cell_size(cell, width) if number < to_the_left else " " * (width - cell_len(cell)) + cell
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
