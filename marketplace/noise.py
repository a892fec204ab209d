"""Label noise: moderators err, and the truth stays in the example so that evaluation can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Shares of labels that are wrong, each drawn by itself: violations labelled 0, and harmless ones labelled 1.

    Two shares because there are a hundred times more harmless examples: a hundredth of these wrong is as many labels
    as all violations together.
    """

    missed_share: float = 0.0
    false_share: float = 0.0

    def __post_init__(self) -> None:
        for name, share in (("missed_share", self.missed_share), ("false_share", self.false_share)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}, not within 0..1")


def noisy(examples: Iterable[dict[str, Any]], noise: LabelNoise, seed: int) -> Iterator[dict[str, Any]]:
    """The same examples with some labels flipped, and what they were as `true_labels`.

    Without any noise the examples pass as they are. Which are flipped depends on the seed and the examples' order.
    """
    if noise == LabelNoise():
        yield from examples
        return
    rng = Random(seed)  # noqa: S311 - made-up errors, no secret
    for example in examples:
        truth = example["labels"]
        labels = {
            domain: 1 - label
            if rng.random() < (noise.missed_share if label else noise.false_share)
            else label
            for domain, label in truth.items()
        }
        yield {**example, "labels": labels, "true_labels": truth}
