"""Intake: what is refused before it is examined, and what metrics take from strangers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from prometheus_client import REGISTRY

from streams.agents.decisions import MAX_DOMAIN_CHARACTERS, MAX_DOMAINS, DecisionIntake
from streams.agents.intake import examine_or_refuse
from streams.agents.screening_lane import Refused
from streams.events import Position
from streams.kafka.outbox import Outbox, Outgoing
from streams.screening import Source


def _examined(_: Source) -> NoReturn:
    raise AssertionError("must not be examined")


def test_a_record_counts_with_its_key_and_headers() -> None:
    """All of it goes to `rescore` when the models are away, and must fit there."""
    source = Source(Position("messages", 0, 1), 0, b"k" * 300, b"v" * 400, (("h", b"x" * 400),))
    row = examine_or_refuse(source, _examined, 1024)
    assert isinstance(row, Refused)
    assert row.letter.reason == "too_large"
    assert row.letter.detail == "1101 bytes; the limit is 1024"
    assert row.letter.value == source.value


@dataclass
class Record:
    value: bytes
    key: bytes = b"a"
    topic: str = "decisions"
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_700_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


async def test_names_of_domains_from_outside_are_few_and_short() -> None:
    class NoProducer:
        """Nothing is sent where no decision is bad."""

    intake = DecisionIntake(Outbox(NoProducer()), deadletter_topic="deadletter", max_record_bytes=1 << 20)  # type: ignore[arg-type]
    decision = {
        "alert_id": "a",
        "verdict": "unsure",
        "moderator_id": "m",
        "decided_at": "2026-11-21T10:00:00Z",
    }
    names = [f"{number}-{'x' * 10_000}" for number in range(MAX_DOMAINS + 50)]
    records = [Record(json.dumps({**decision, "domain": name}).encode()) for name in names]
    await intake.take_in(records, now_us=0)
    seen = {
        sample.labels["domain"]
        for family in REGISTRY.collect()
        if family.name == "sekisho_decisions"
        for sample in family.samples
    }
    assert f"0-{'x' * (MAX_DOMAIN_CHARACTERS - 2)}" in seen
    assert "(other)" in seen
    assert len(seen) <= MAX_DOMAINS + 1
    assert max(map(len, seen)) <= MAX_DOMAIN_CHARACTERS


async def test_a_decision_that_is_too_large_is_put_aside_as_other_records_are() -> None:
    sent: list[Outgoing] = []

    class Keeping(Outbox):
        """Keeps what would be sent."""

        async def send(self, records: Sequence[Outgoing]) -> bool:
            sent.extend(records)
            return True

    intake = DecisionIntake(Keeping(None), deadletter_topic="deadletter", max_record_bytes=100)  # type: ignore[arg-type]
    await intake.take_in([Record(b"{" + b" " * 100 + b"}")], now_us=0)
    (letter,) = [record.letter for record in sent]
    assert letter is not None
    assert (letter.reason, letter.topic) == ("too_large", "decisions")
