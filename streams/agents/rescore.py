"""Rescore: events whose models were away, screened again when Triton answers.

The record holds the event's bytes and its window as it was, so the case is the one that was put aside; rules and
models are today's. Evidence that was alerted before is not alerted again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from streams.agents.lane import Delivery
from streams.agents.reports import ReportIntake
from streams.events import BadRecord, decode_listing, decode_message
from streams.inference.scorer import Scorer
from streams.rescoring import RescoreItem, decode
from streams.screening import Case, Examiner, Source

#: Longest pause before a put-aside event is tried again, in seconds: a model that is broken while the server
#: answers must not make its events circle at full speed.
MAX_PAUSE_S = 60.0


class RescoreIntake:
    """What the rescore agent does with a record."""

    def __init__(self, examiner: Examiner, reports: ReportIntake) -> None:
        self._examiner = examiner
        self._reports = reports

    def examine(self, source: Source) -> Case:
        """The case of a `rescore` record. Raises `BadRecord`."""
        item = decode(source.value)
        case = self._examine_event(item)
        case.revision = item.revision
        case.alerted = frozenset(item.alerted)
        case.put_aside_at_us = item.put_aside_at_us
        case.attempts = item.attempts
        return case

    def _examine_event(self, item: RescoreItem) -> Case:
        source = item.source
        if item.kind == "report":
            return self._reports.examine_again(source)
        if item.kind == "listing":
            listing = decode_listing(
                source.value, key=source.key, timestamp_us=source.timestamp_us, headers=source.headers
            )
            return self._examiner.listing(listing, source)
        decoded = decode_message(
            source.value, key=source.key, timestamp_us=source.timestamp_us, headers=source.headers
        )
        if not item.turns:
            raise BadRecord("bad_rescore", "a message without its window")
        return self._examiner.message(decoded, item.turns, source)


def due_at_us(record: Any) -> int:  # noqa: ANN401 - aiokafka's ConsumerRecord
    """When a record may be tried again: 1, 2, 4 … up to 60 s after it was written, by its attempts so far.

    Never more than 60 s from now, whatever the record says of its time: it would hold up all that stand behind it.
    """
    try:
        attempts = decode(record.value).attempts
    except BadRecord:
        return 0  # it becomes a dead letter at once
    pause_s = min(MAX_PAUSE_S, 2.0 ** min(attempts - 1, 10))
    written_us = min(int(record.timestamp or 0) * 1000, time.time_ns() // 1000)
    return written_us + int(pause_s * 1e6)


async def wait_until_due(
    delivery: Delivery,
    records: Sequence[Any],
    *,
    scorer: Scorer,
    is_current: Callable[[Delivery], bool],
) -> bool:
    """Wait until Triton answers and the records are due. False if the partition was taken away meanwhile.

    Nothing is held up by this but later rescoring: the delivery is not begun, so a rebalance need not wait for it.
    """
    due_us = max((due_at_us(record) for record in records), default=0)
    while is_current(delivery):
        wait_s = due_us / 1e6 - time.time()
        if wait_s > 0:
            await asyncio.sleep(min(wait_s, 0.5))
            continue
        try:
            async with asyncio.timeout(0.5):
                await scorer.wait_available()
        except TimeoutError:
            continue
        return is_current(delivery)
    return False
