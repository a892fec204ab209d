"""Which fault happens when: drawn from a seed, so that a campaign can be run again (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, get_args

Kind = Literal[
    "worker killed",
    "worker told to stop",
    "worker added",
    "worker removed",
    "worker frozen",
    "Triton killed",
    "Triton frozen",
    "Triton stub killed",
    "broker killed",
    "all brokers stopped",
    "rules edited",
    "rules broken",
    "model pushed",
    "bad model pushed",
    "poison records",
    "disk full",
]
#: What a fault is done to. Two faults of one part follow each other; of different parts they may overlap.
Part = Literal["workers", "triton", "brokers", "files", "load"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

#: Part and how long the fault lasts before it is lifted, in seconds (least, most).
#: A frozen worker must outlast the session timeout of 10 s; brokers are away for the 30 s that the promise names.
_PARTS: Final[Mapping[Kind, tuple[Part, float, float]]] = {
    "worker killed": ("workers", 0, 0),
    "worker told to stop": ("workers", 0, 0),
    "worker added": ("workers", 15, 30),
    "worker removed": ("workers", 10, 20),
    "worker frozen": ("workers", 12, 20),
    "Triton killed": ("triton", 5, 15),
    "Triton frozen": ("triton", 8, 20),
    "Triton stub killed": ("triton", 0, 0),
    "broker killed": ("brokers", 5, 20),
    "all brokers stopped": ("brokers", 30, 30),
    "rules edited": ("files", 0, 0),
    "rules broken": ("files", 5, 10),
    "model pushed": ("files", 0, 0),
    "bad model pushed": ("files", 0, 0),
    "poison records": ("load", 0, 0),
    "disk full": ("workers", 10, 20),
}

#: Three deadlines for scores long, so that most events of that time would show a wait.
LONE_FREEZE_S: Final = 15.0

#: Faults that keep models from answering and leave all else alone.
TRITON_KINDS: Final[frozenset[Kind]] = frozenset(kind for kind in KINDS if _PARTS[kind][0] == "triton")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `at_s` after the load began it is injected, `hold_s` later lifted. `choice` picks among targets."""

    number: int
    kind: Kind
    at_s: float
    hold_s: float
    choice: int

    @property
    def part(self) -> Part:
        """What it is done to."""
        return _PARTS[self.kind][0]


def schedule(
    seed: int, *, count: int, first_s: float, last_s: float, kinds: Sequence[Kind] = KINDS
) -> tuple[Fault, ...]:
    """`count` faults at random times from `first_s` to `last_s`, in the order of their times.

    Every kind comes before any comes again, so `count` ≥ len(kinds) has them all. Raises ValueError for an empty
    stretch of time or no kinds.
    """
    if not 0 <= first_s <= last_s:
        raise ValueError(f"faults between {first_s:g} s and {last_s:g} s: there is no such time")
    if not kinds:
        raise ValueError("no kinds of faults to choose from")
    rng = Random(seed)
    drawn: list[Kind] = []
    while len(drawn) < count:
        drawn += rng.sample(list(kinds), len(kinds))
    times = sorted(rng.uniform(first_s, last_s) for _ in range(count))
    # Shuffled once more: the first round would otherwise hold all kinds and the remainder of a round only some.
    chosen = rng.sample(drawn[:count], count)
    return tuple(
        Fault(
            number=number,
            kind=kind,
            at_s=round(at_s, 3),
            hold_s=round(rng.uniform(*_PARTS[kind][1:]), 3),
            choice=rng.randrange(1 << 16),
        )
        for number, (kind, at_s) in enumerate(zip(chosen, times, strict=True), start=1)
    )


def frozen_triton_at_the_end(number: int) -> Fault:
    """The fault that follows all others when they are over: only alone can it show that rules do not wait for Triton."""
    return Fault(number=number, kind="Triton frozen", at_s=0.0, hold_s=LONE_FREEZE_S, choice=0)
