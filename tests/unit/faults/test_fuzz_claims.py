"""Mutated records of `rescore` claim no place at which another record stands: the books would blame the engine."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from tests.faults.fuzz.mutator import Mutator
from tests.faults.fuzz.rescore_mutators import FIRST_CLAIM, MUTATORS, claim_of, put_aside
from tests.faults.fuzz.specimens import Specimen, good

NOW_US = 1_795_000_000_000_000
#: An offset is changed in one of some fifteen fields drawn, to a small one in one of five: a few hundred must be drawn.
SEEDS = 30
RECORDS = 40
FORGED = [one for one in MUTATORS if not one.name.endswith("turns")]  # megabytes, and no offsets


@pytest.fixture(scope="module")
def aside() -> list[Specimen]:
    return list(islice(put_aside(good(1), prefix="x.", now_us=NOW_US), RECORDS))


@pytest.mark.parametrize("mutator", FORGED, ids=lambda one: one.name)
def test_no_claim_is_a_place_where_another_record_stands(mutator: Mutator, aside: list[Specimen]) -> None:
    own = {claim_of(specimen): specimen for specimen in aside}
    second = next(one for one in MUTATORS if one.name.endswith("a field of another type"))
    for seed in range(SEEDS):
        rng = Random(seed)
        for specimen in aside:
            once = mutator.change(rng, specimen)
            for mutated in (once, second.change(rng, once)):
                claim = claim_of(mutated)
                if claim is None or claim[2] < 0:  # the engine refuses it
                    continue
                assert claim[2] >= FIRST_CLAIM
                assert own.get(claim, specimen) is specimen


def test_a_changed_offset_is_still_among_what_is_drawn(aside: list[Specimen]) -> None:
    mutator = next(one for one in MUTATORS if one.name.endswith("a field of another type"))
    rng = Random(7)
    claims = [claim_of(mutator.change(rng, specimen)) for _ in range(SEEDS) for specimen in aside]
    assert any(claim is not None and claim[2] >= 2 * FIRST_CLAIM for claim in claims)
