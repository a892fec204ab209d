"""Shares of few cases with honest intervals: Wilson's, and that of a mean of several days' shares (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The two-sided 95 % point of the normal distribution.
Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its two-sided 95 % interval, and of how many cases; `value` is None of none at all."""

    value: float | None
    low: float
    high: float
    of: int


NO_SHARE = Share(None, 0.0, 1.0, 0)


def wilson(found: float, of: float, z: float = Z_95) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) of nothing. Fit for few cases and for shares of 0 and 1."""
    if of == 0:
        return 0.0, 1.0
    share = found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def share(found: int, of: int) -> Share:
    """So many of so many."""
    return Share(found / of, *wilson(found, of), of) if of else NO_SHARE


def mean_share(days: Sequence[tuple[int, int]]) -> Share:
    """The mean of the days' shares (found, of); days of nothing are left out.

    Each day counts the same, however many cases it has. If the true share p is the same on all D days, the mean has
    the variance p(1-p) / D² · Σ 1/n, which is that of a share of D² / Σ 1/n cases: Wilson's interval of so many. It
    says how far chance in drawing the cases could have led, not how much the days themselves differ.
    """
    counted = [(found, of) for found, of in days if of]
    if not counted:
        return NO_SHARE
    value = sum(found / of for found, of in counted) / len(counted)
    cases = len(counted) ** 2 / sum(1 / of for _, of in counted)
    return Share(value, *wilson(value * cases, cases), sum(of for _, of in counted))
