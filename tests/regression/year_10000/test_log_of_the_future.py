"""One record with a timestamp after the year 9999 made the page of review quality answer 500 for as long as it was kept."""

from __future__ import annotations

import pytest
from aiokafka import ConsumerRecord

from streams.events import LATEST_US, rfc3339
from streams.kafka.shared_log import SharedLog
from streams.settings import Settings

LATEST_MS = LATEST_US // 1000


def record(timestamp_ms: int) -> ConsumerRecord:
    return ConsumerRecord("alerted", 0, 0, timestamp_ms, 0, b"k", b"{}", None, 1, 2, ())


@pytest.mark.parametrize(
    ("timestamps_ms", "newest_at"),
    [
        ([LATEST_MS, LATEST_MS + 1000], "9999-12-31T23:59:59.000Z"),
        ([(1 << 63) - 1, 1000], "9999-12-31T23:59:59.000Z"),
        ([-1], "1970-01-01T00:00:00.000Z"),
        ([2000, 1000], "1970-01-01T00:00:02.000Z"),
    ],
)
async def test_the_newest_time_is_always_a_date(timestamps_ms: list[int], newest_at: str) -> None:
    log = SharedLog(Settings(), ["alerted"], fold=lambda _: None)
    for timestamp_ms in timestamps_ms:
        await log._hand_over([record(timestamp_ms)], 1.0)
    assert log.standing.newest_at_us is not None
    assert rfc3339(log.standing.newest_at_us) == newest_at
