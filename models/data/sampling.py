"""Which negatives are kept: a stated number for each positive, hard ones and easy ones in a stated ratio."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.data.facts import ExampleFacts

All = Literal["all"]
Labels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many negatives are kept for each positive.

    `hard_share` is the share of hard ones among the kept negatives of the training part, filled up with the others
    where either runs out; None takes negatives as they come.
    """

    negatives_per_positive: float | All = 1.0
    evaluation_negatives_per_positive: float = 3.0
    hard_share: float | None = None

    def __post_init__(self) -> None:
        wanted = self.negatives_per_positive
        if (wanted != "all" and wanted <= 0) or self.evaluation_negatives_per_positive <= 0:
            raise ValueError("negatives per positive must be above 0")
        if self.hard_share is not None and not 0 <= self.hard_share <= 1:
            raise ValueError(f"hard_share is {self.hard_share}; a share lies within 0..1")


def combined(facts: Sequence[ExampleFacts], labels: Sequence[str], *, partly: bool = False) -> Labels:
    """float32 [N] over several labels: 1 where any is 1, 0 where all are 0, NaN where that cannot be known.

    `partly`: 0 where all that are known are 0, NaN only where none is known.
    """
    found = np.empty(len(facts), np.float32)
    for index, one in enumerate(facts):
        values = [one.labels.get(label) for label in labels]
        unknown = 0 not in values if partly else None in values
        found[index] = 1 if 1 in values else (math.nan if unknown else 0)
    return found


def near_misses(
    facts: Sequence[ExampleFacts], labels: Sequence[str], domains: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """bool [N]: marked hard by whoever made the data, a violation of another domain, or hit by a rule of `domains`."""
    own, ruled = frozenset(labels), frozenset(domains)
    return np.array(
        [
            one.hard
            or not ruled.isdisjoint(one.rule_hits)
            or any(value == 1 for name, value in one.labels.items() if name not in own)
            for one in facts
        ],
        np.bool_,
    )


def sampled(
    truth: Labels,
    negatives_per_positive: float | All,
    seed: int,
    *,
    hard: npt.NDArray[np.bool_] | None = None,
    hard_share: float | None = None,
) -> npt.NDArray[np.int64]:
    """Ascending indices of all positives and a random choice of the negatives; unlabelled examples are left out.

    `truth` is float32 [N] of 0, 1 and NaN, `hard` bool [N]. The same arguments choose the same examples.
    """
    positives, negatives = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    if negatives_per_positive == "all":
        wanted = len(negatives)
    else:
        wanted = min(len(negatives), math.ceil(len(positives) * negatives_per_positive))
    order = np.random.default_rng(seed)
    if hard is None or hard_share is None:
        kept = order.choice(negatives, wanted, replace=False)
    else:
        hards, easies = (
            order.permutation(negatives[hard[negatives]]),
            order.permutation(negatives[~hard[negatives]]),
        )
        most = min(len(hards), round(wanted * hard_share))
        most = max(most, wanted - len(easies))
        kept = np.concatenate([hards[:most], easies[: wanted - most]])
    return np.sort(np.concatenate([positives, kept]))


def counts(truth: Labels, chosen: npt.NDArray[np.int64], hard: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """What a choice holds, for run.json."""
    kept = truth[chosen]
    return {
        "examples": len(chosen),
        "positives": int((kept == 1).sum()),
        "hard_negatives": int(((kept == 0) & hard[chosen]).sum()),
        "easy_negatives": int(((kept == 0) & ~hard[chosen]).sum()),
    }
