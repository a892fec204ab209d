"""Mutated records through the real worker: what `python -m tests.faults.fuzz` does with 100,000, in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.fuzz import report, run
from tests.faults.fuzz.drawing import MUTATORS

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]

#: As many as a quiet machine of two cores gets through in a minute and a half.
RECORDS = 8_000


async def test_no_record_stops_the_worker_and_every_one_is_accounted_for(tmp_path: Path) -> None:
    outcome = await run.run(run.Plan(RECORDS, 20_261_121, "noida", tmp_path))
    found = report.result(outcome)
    assert outcome.books.verdict.ok, report.markdown(found)
    # a proof about nothing would be none
    assert found["counts"]["records sent"] > RECORDS
    assert found["counts"]["predictions"] > RECORDS / 4
    assert found["counts"]["dead letters"] > RECORDS / 4
    assert len(found["mutators"]) > 0.9 * len(MUTATORS)
    assert {
        f"dead letter: {reason}" for reason in ("not_json", "not_utf8", "missing_field", "bad_rescore")
    } <= set(found["outcomes"])
