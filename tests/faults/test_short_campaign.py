"""A short campaign on Apache Kafka with every kind of fault: what `python -m tests.faults` does for an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import campaign, report
from tests.faults.schedule import KINDS
from tests.kafka_server.apache_kafka import KafkaUnavailableError, jars

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.embedded, pytest.mark.timeout(900)]


async def test_every_kind_of_fault_once_and_nothing_is_lost(tmp_path: Path) -> None:
    try:
        jars()
    except KafkaUnavailableError as error:
        pytest.skip(f"Apache Kafka cannot be run here: {error}")
    plan = campaign.Plan(
        events=18_000, rate=60.0, faults=len(KINDS) + 1, seed=1, workers=2, brokers=3, work_dir=tmp_path
    )
    outcome = await campaign.run(plan)
    found = report.result(outcome)
    page = report.markdown(found)
    assert outcome.verdict.ok, page
    # a proof about nothing would be none
    assert outcome.verdict.counts["records produced"] >= plan.events
    assert outcome.verdict.counts["windows compared"] > plan.events / 2
    assert outcome.verdict.counts["alerts"] > 100
    assert outcome.verdict.counts["rule alerts while Triton was away"] > 10
    assert outcome.verdict.counts["records below a commit"] > plan.events / 2
    assert len(found["faults"]) + len(found["skipped"]) == plan.faults
    assert {skipped["kind"] for skipped in found["skipped"]} <= {"disk full"}, found["skipped"]
