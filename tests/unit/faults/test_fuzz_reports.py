"""Mutated reports of customers: the engine's reader and the contract as the oracle reads it come to the same."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from streams.agents.intake import check_size
from streams.events import BadRecord, Decoded, Position
from streams.reports import Report, decode_report
from streams.screening import Source
from tests.faults.fuzz import json_mutators, report_mutators, text_mutators
from tests.faults.fuzz.mutator import Mutator
from tests.faults.fuzz.oracle import TOLD_NOTES, reading
from tests.faults.fuzz.record_mutators import MAX_RECORD_BYTES
from tests.faults.fuzz.specimens import CANARY, Specimen, good

NOW_US = 1_795_000_000_000_000
MUTATORS = [
    one
    for one in (*report_mutators.MUTATORS, *json_mutators.MUTATORS, *text_mutators.MUTATORS)
    if "reports" in one.topics and one.share >= 0.5  # others make megabytes
]
#: Each with as many specimens. A mutation draws from some ten ways.
SPECIMENS = 12


@pytest.fixture(scope="module")
def reports() -> list[Specimen]:
    return list(islice((one for one in good(2) if one.topic == "reports"), SPECIMENS))


@pytest.mark.parametrize("mutator", MUTATORS, ids=lambda one: one.name)
def test_both_read_the_same(mutator: Mutator, reports: list[Specimen]) -> None:
    for seed, specimen in enumerate(reports):
        mutated = mutator.change(Random(seed), specimen)
        expected = reading(mutated)
        found = read(mutated)
        if isinstance(found, BadRecord):
            assert expected.usable is not True, (mutated, found)
            assert found.reason in expected.reasons, (mutated, found)
            assert CANARY not in found.detail
        elif expected.usable is False:
            # Whether there is such a domain, and for what, is not for the reader to say.
            assert expected.reasons <= {"unknown_domain", "bad_value"}, mutated
        elif expected.usable:
            assert found.event.report_id == expected.ident
            assert TOLD_NOTES & set(found.notes) == expected.notes


def read(specimen: Specimen) -> Decoded[Report] | BadRecord:
    """As the worker reads it."""
    source = Source(Position("reports", 0, 1), NOW_US, specimen.key, specimen.value)
    try:
        check_size(source, MAX_RECORD_BYTES)
        return decode_report(source.value, key=source.key, timestamp_us=source.timestamp_us)
    except BadRecord as refusal:
        return refusal
