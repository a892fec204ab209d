"""Exact intervals of binomial counts by inverting the test, as Clopper and Pearson (1934) did; for few cases (pure)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: Halvings of [0, 1]: to 2^-50, finer than anybody prints.
_HALVINGS = 50


def at_most(found: int, of: int, chance: float) -> float:
    """The probability of `found` or fewer successes in `of` trials of this chance."""
    if found >= of or chance <= 0.0:
        return 1.0
    if chance >= 1.0:
        return 0.0
    number = np.arange(1, found + 1, dtype=np.float64)
    ways = np.concatenate([[0.0], np.cumsum(np.log((of - number + 1) / number))])
    successes = np.arange(found + 1)
    logs = ways + successes * np.log(chance) + (of - successes) * np.log1p(-chance)
    return float(min(1.0, np.exp(logs).sum()))


def share_limits(found: int, of: int, miss: float) -> tuple[float, float]:
    """Limits of the chance behind `found` of `of`, which fail to hold it with probability `miss` or less."""
    if of == 0:
        return 0.0, 1.0
    low = 0.0 if found == 0 else _where(lambda chance: 1 - at_most(found - 1, of, chance) < miss / 2)
    high = 1.0 if found == of else _where(lambda chance: at_most(found, of, chance) >= miss / 2)
    return low, high


def number_limits(found: int, chance: float, miss: float) -> tuple[int, float]:
    """Limits of how many there are, of which each was found with this chance and `found` were; miss as above.

    The upper one is infinite for a chance of 0.
    """
    if chance <= 0.0:
        return found, float("inf")
    low = _first(lambda number: found == 0 or 1 - at_most(found - 1, number, chance) >= miss / 2, found)
    high = _first(lambda number: at_most(found, number, chance) < miss / 2, found) - 1
    return low, float(max(high, found))


def _where(below: Callable[[float], bool]) -> float:
    """The place in [0, 1] where a statement about a chance turns from true to false."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def _first(holds: Callable[[int], bool], begin: int) -> int:
    """The least number from `begin` on for which something holds that then holds for all larger ones."""
    if holds(begin):
        return begin
    step = 1
    while not holds(begin + step):
        step *= 2
    low, high = begin + step // 2, begin + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
