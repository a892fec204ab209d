"""Labelled examples in three parts, each later than the one before and in its own file, as training takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from marketplace import conversations, listings
from marketplace.conversations import Mix
from marketplace.drift import Drift
from marketplace.examples import listing_examples, message_examples
from marketplace.grammar import Phrasing
from marketplace.listings import ListingMix
from marketplace.noise import LabelNoise, noisy

Kind = Literal["messages", "listings"]
PartName = Literal["train", "valid", "test"]

#: Shares of the examples, and of the time.
SHARES: Final[dict[PartName, float]] = {"train": 2 / 3, "valid": 1 / 6, "test": 1 / 6}
#: Later parts say known things and, half of the time, things that were never trained on.
_PHRASING: Final[dict[PartName, Phrasing]] = {"train": "known", "valid": "validation", "test": "held_out"}
#: A part's last event comes a little before the next part's first: arrivals are random.
_FILLED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides what the parts hold. `rich`: the training part holds more violations than traffic does.

    The drift runs over the whole time, from the first example of `train` to the last of `test`. Where violations grow,
    a rich training part begins that much poorer, so that its share never passes the rich one.
    Raises ValueError for a growth that leaves no room for anything else.
    """

    seed: int
    start: datetime
    days: float = 90.0
    rich: bool = True
    noise: LabelNoise = field(default_factory=LabelNoise)
    turnover: float = 0.0
    growth: float = 1.0

    def __post_init__(self) -> None:
        for kind in get_args(Kind):
            for name in SHARES:
                mix = self.mix(kind, name)
                if self.drift is not None:
                    try:
                        self.drift.mix(mix, self.drift.end)
                    except ValueError as error:
                        raise ValueError(f"violations cannot grow {self.growth:g} times: {error}") from error

    def mix(self, kind: Kind, name: PartName) -> Mix | ListingMix:
        """What the part is made of when the time begins."""
        rich = self.rich and name == "train"
        mix: Mix | ListingMix
        if kind == "messages":
            mix = conversations.TRAINING if rich else conversations.TRAFFIC
        else:
            mix = listings.TRAINING if rich else listings.TRAFFIC
        share = mix.violation_share / max(1.0, self.growth) if rich else mix.violation_share
        return replace(mix, violation_share=share, phrasing=_PHRASING[name])

    @property
    def drift(self) -> Drift | None:
        """None when nothing moves."""
        if self.turnover == 0 and self.growth == 1:
            return None
        return Drift(self.start, self.start + timedelta(days=self.days), self.turnover, self.growth)


def part_sizes(count: int) -> dict[PartName, int]:
    """How many of `count` examples each part gets; all of them together."""
    valid, test = (int(count * SHARES[part]) for part in ("valid", "test"))
    return {"train": count - valid - test, "valid": valid, "test": test}


def part(kind: Kind, name: PartName, count: int, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """`count` examples of that part. No transaction and no listing is in two parts."""
    names = tuple(SHARES)
    before = sum(SHARES[earlier] for earlier in names[: names.index(name)])
    start = recipe.start + timedelta(days=recipe.days * before)
    days = recipe.days * SHARES[name] * _FILLED
    # Identities carry the seed, so a seed of its own keeps the parts apart.
    seed = recipe.seed * len(names) + names.index(name)
    mix = recipe.mix(kind, name)
    if isinstance(mix, Mix):
        found = message_examples(
            seed, count, start=start, mix=mix, days=days, drift=recipe.drift, mark_hard=True
        )
    else:
        found = listing_examples(
            seed, count, start=start, mix=mix, days=days, drift=recipe.drift, mark_hard=True
        )
    return noisy(found, recipe.noise, seed)
