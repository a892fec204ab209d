"""Percentiles and histograms of latencies, exact: a run keeps every value (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Edges of the histogram grow by a tenth of a decade: 1, 1.26, 1.58, 2, … 10 ms; nobody needs to know 5 from 5.5.
_EDGES_PER_DECADE: Final = 10


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of `count` values, in milliseconds. With fewer than 100 values `p99_ms` is their maximum."""

    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


def percentiles(values_s: NDArray[np.floating[Any]]) -> Percentiles | None:
    """Percentiles by nearest rank, so each is a value that was measured; None of no values. `values_s` in seconds."""
    if not len(values_s):
        return None
    ordered_ms = np.sort(values_s) * 1000.0
    return Percentiles(
        len(ordered_ms),
        *(round(float(ordered_ms[rank(len(ordered_ms), q)]), 3) for q in (0.5, 0.9, 0.99, 0.999, 1.0)),
    )


def rank(count: int, share: float) -> int:
    """Index of the least of `count` ordered values that so large a share of them does not exceed."""
    # 0.99 × 100 is 99.00000000000001 in floating point, and would give the next value.
    return max(0, math.ceil(round(share * count, 6)) - 1)


def histogram(values_s: NDArray[np.floating[Any]]) -> list[tuple[float, int]]:
    """(upper edge in milliseconds, values up to it and above the edge before), without empty rows."""
    if not len(values_s):
        return []
    # Below a microsecond nothing is measured; a clock of another machine may even give negative values.
    values_ms = np.maximum(np.asarray(values_s, dtype=np.float64) * 1000.0, 0.001)
    steps = np.ceil(np.round(np.log10(values_ms) * _EDGES_PER_DECADE, 9)).astype(int)
    found, counts = np.unique(steps, return_counts=True)
    return [
        (float(f"{10 ** (step / _EDGES_PER_DECADE):.3g}"), int(count))
        for step, count in zip(found, counts, strict=True)
    ]
