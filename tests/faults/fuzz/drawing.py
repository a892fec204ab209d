"""Specimens with mutations drawn for them: the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from tests.faults.fuzz import (
    byte_mutators,
    json_mutators,
    picture_mutators,
    record_mutators,
    report_mutators,
    rescore_mutators,
    text_mutators,
)
from tests.faults.fuzz.mutator import Mutator
from tests.faults.fuzz.specimens import Specimen, good

MUTATORS: tuple[Mutator, ...] = (
    *record_mutators.MUTATORS,
    *byte_mutators.MUTATORS,
    *json_mutators.MUTATORS,
    *text_mutators.MUTATORS,
    *picture_mutators.MUTATORS,
    *report_mutators.MUTATORS,
    *rescore_mutators.MUTATORS,
)
#: A second mutation on top of the first.
SECOND_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mutated specimen; it counts under the first of its mutators."""

    mutator: str
    specimen: Specimen


def drawn(seed: int, *, prefix: str, port: int, now_us: int) -> Iterator[Drawn]:
    """Endless mutated specimens. `port` is the one on this machine that pictures' addresses point at.

    Mutators are drawn by their shares; each then gets the next specimen of a topic that it is for.
    """
    rng = Random(f"{seed}/mutations")
    events = good(seed)
    aside = rescore_mutators.put_aside(good(seed + 1), prefix=prefix, now_us=now_us)
    shares = [mutator.share for mutator in MUTATORS]
    while True:
        first = rng.choices(MUTATORS, shares)[0]
        specimen = next(
            s for s in (aside if "rescore" in first.topics else events) if s.topic in first.topics
        )
        mutated = first.change(rng, specimen)
        if rng.random() < SECOND_SHARE:
            second = rng.choices(MUTATORS, shares)[0]
            if specimen.topic in second.topics:
                mutated = second.change(rng, mutated)
        if mutated.value is not None and b"{port}" in mutated.value:
            mutated = replace(mutated, value=mutated.value.replace(b"{port}", str(port).encode()))
        yield Drawn(first.name, mutated)
