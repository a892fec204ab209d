"""Where a listing model looked: the gate's weight of the text, by class and by an attribute of the listing.

The reading of gate weights is that of Arevalo et al. 2017, "Gated Multimodal Units for Information Fusion".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.evaluation.intervals import RESAMPLES, Estimate

Example = Mapping[str, Any]
Attribute = Callable[[Example], bool | None]

HAS_IMAGE: Final = "has_image"
_CLASSES: Final = (("violation", 1.0), ("no violation", 0.0))


class NotBinaryError(ValueError):
    """An attribute that does not split listings in two; says which values it has and how to ask instead."""


@dataclass(frozen=True, slots=True)
class GateGroup:
    """Weight of the text among listings of one class and one side of an attribute (None: the class as a whole)."""

    title: str
    positive: bool
    attribute: bool | None
    listings: int
    mean: Estimate
    quartiles: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GateReading:
    """Groups by class and, where `by` names an attribute, by class and its two sides.

    Listings without a picture are left out (the gate has nothing to weigh there), except where the attribute is
    whether there is one. `unknown` listings do not state the attribute.
    """

    by: str | None
    groups: tuple[GateGroup, ...]
    without_picture: int
    unknown: int


def binary_attribute(by: str) -> Attribute:
    """How to read `by` from a listing example: yes, no, or None where the listing does not say.

    `attributes.NAME` reads a boolean (or 0 and 1) attribute; `FIELD=VALUE` and `attributes.NAME=VALUE` ask whether it
    has that value. `has_image` is not read from the example, but from its features: a broken picture is none.
    Calling it raises NotBinaryError for a value that is neither yes nor no.
    """
    path, equals, wanted = by.partition("=")

    def read(example: Example) -> bool | None:
        listing: Mapping[str, Any] = example["listing"]
        group, dot, name = path.partition(".")
        value = (listing.get(group) or {}).get(name) if dot else listing.get(path)
        if value is None:
            return None
        if equals:
            return _as_text(value) == wanted
        if value in (0, 1):
            return bool(value)
        raise NotBinaryError(
            f"{path} is {value!r}: not a yes or no; ask for one value of it, as in --by '{path}={value}'"
        )

    return read


def read_gates(
    truth: npt.NDArray[np.float32],
    gates: npt.NDArray[np.float32],
    has_image: npt.NDArray[np.bool_],
    *,
    by: str | None = None,
    attribute: npt.NDArray[np.float32] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> GateReading:
    """Of truth [N], gates [N, 2] (text, image) and whether there is a picture, bool [N].

    `attribute` float32 [N] is 1, 0, or NaN where unknown. Intervals of the means are bootstrapped within each group.
    """
    order = np.random.default_rng(seed)
    weighed = np.ones(len(truth), np.bool_) if by == HAS_IMAGE else has_image
    groups = [
        _group((name, value == 1, None), gates[has_image & (truth == value), 0], resamples, order)
        for name, value in _CLASSES
    ]
    unknown = 0
    if by is not None and attribute is not None:
        unknown = int((weighed & np.isnan(attribute)).sum())
        for name, value in _CLASSES:
            for side in (True, False):
                chosen = weighed & (truth == value) & (attribute == float(side))
                title = f"{name}, {by}: {'yes' if side else 'no'}"
                groups.append(_group((title, value == 1, side), gates[chosen, 0], resamples, order))
    return GateReading(by, tuple(g for g in groups if g.listings), int((~has_image).sum()), unknown)


def _group(
    kind: tuple[str, bool, bool | None],
    weights: npt.NDArray[np.float32],
    resamples: int,
    order: np.random.Generator,
) -> GateGroup:
    title, positive, attribute = kind
    if not len(weights):
        return GateGroup(title, positive, attribute, 0, Estimate(None), (0.0, 0.0, 0.0))
    means = [float(weights[order.integers(0, len(weights), len(weights))].mean()) for _ in range(resamples)]
    low, high = np.quantile(means, [0.025, 0.975])
    first, second, third = (float(q) for q in np.quantile(weights, [0.25, 0.5, 0.75]))
    mean = Estimate(float(weights.mean()), float(low), float(high))
    return GateGroup(title, positive, attribute, len(weights), mean, (first, second, third))


def _as_text(value: object) -> str:
    """As it stands in JSON: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)
