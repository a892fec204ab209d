"""Conversations that are over leave the window table, a few at a time, with a tombstone in its changelog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from streams import metrics
from streams.agents.window_table import WindowTable
from streams.kafka.outbox import Outbox

#: Conversations looked at in one go, and the pause after it. Reading one costs some 5 µs, so this is a quarter of a
#: percent of a core; 100,000 conversations are gone through in 200 s, a million in 34 minutes.
LOOKED_AT, PAUSE_S = 500, 1.0


async def forget_the_ended(
    windows: WindowTable, outbox: Outbox, *, owned: Callable[[], frozenset[int]], pause_s: float = PAUSE_S
) -> None:
    """Go round the table for ever. `owned` are the partitions whose state this worker may change now.

    Raises `KafkaError` when a tombstone cannot be written for good.
    """
    while True:
        await asyncio.sleep(pause_s)
        tombstones = windows.forget(LOOKED_AT, owned=owned(), now_us=time.time_ns() // 1000)
        if tombstones:
            # Dropped already: should the worker die before this is acknowledged, recovery brings them back and the
            # next round drops them again. What a new message sees of them is nothing, either way.
            await outbox.send(tombstones, still=lambda record: record.partition in owned())
            metrics.WINDOWS_DROPPED.inc(len(tombstones))
