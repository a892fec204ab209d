"""Any bytes may stand in the topic: what no worker writes is counted and passed over, and the rest is taken."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from streams.drift.intake import StatisticsIntake
from streams.statistics.records import InputCounts, ScoreCounts, encode

GOOD = InputCounts(instance="i", hour=500_000, kind="message", facts={"script=latin": 7})


@dataclass(frozen=True)
class Record:
    value: bytes | None


def scores(count: int) -> bytes:
    return encode(
        ScoreCounts(
            instance="i", hour=500_000, domain="d", model="m", version=1, role="champion", alone={1: count}
        )
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b'{"format":1,"counts":{"of":"inputs","instance":"\xff","hour":1,"kind":"message"}}',
        b'{"format":1,"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        scores(2**70),
        scores(-(2**70)),
    ],
    ids=["empty", "cut", "no text", "deep", "huge", "huge and negative"],
)
def test_a_record_that_no_worker_wrote_ends_nothing(value: bytes) -> None:
    intake = StatisticsIntake()

    intake.fold([Record(value), Record(encode(GOOD))])

    assert intake.unreadable == 1
    assert any(series.kind == "message" for series in intake.book if hasattr(series, "kind"))
