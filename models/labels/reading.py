"""Reads `predictions`, `decisions` and `alerted` from Kafka into a `Collector`: decisions first, as far as they go now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.labels.collecting import Collector, Wanted
from models.labels.reviewing import Reviews
from streams.kafka.clients import consumer
from streams.kafka.feed import NoSuchTopicError
from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since
from streams.kafka.shared_log import SharedLog

if TYPE_CHECKING:
    from streams.settings import Settings

#: Alerts of an event that went to `rescore` are out before its prediction is; this long before `since` they count too.
_ALERTED_BEFORE_US = 24 * 3600 * 1_000_000
#: `advance` is called after so many records.
_STEP = 500


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of `predictions`: offsets from and up to (not including) which, by partition."""

    collector: Collector
    reviews: Reviews
    offsets: Mapping[int, tuple[int, int]]


async def read(
    settings: Settings,
    wanted: Wanted,
    *,
    since_us: int,
    until_us: int,
    stop: asyncio.Event,
    advance: Callable[[int, int], None],
) -> Read | None:
    """Join what was scored from `since_us` until `until_us` with every verdict there is; None when told to stop.

    Where the predictions end is asked first: every verdict on them, and every alert of theirs, that is there at that
    moment is then read. Raises `BrokerUnreachableError`, `NoSuchTopicError`.
    """
    topic = settings.topic("predictions")
    async with consumer(settings) as client:
        partitions = await assign_all(client, [topic])
        if not partitions:
            raise NoSuchTopicError(
                f"there is no topic {topic} on {settings.broker}: `sekisho topics create` makes it"
            )
        ends = await present_ends(client, partitions)
        reviews = await _reviews(settings, since_us, stop)
        if stop.is_set():
            return None
        collector = Collector(reviews.so_far(), wanted)
        starts = await starts_since(client, ends, since_us or None)
        total = sum(ends[partition] - start for partition, start in starts.items())
        done = 0
        async for record in records_until_now(client, starts, ends):
            done += 1
            if done % _STEP == 0:
                advance(done, total)
                if stop.is_set():
                    return None
            if since_us <= record.timestamp * 1000 < until_us:
                collector.add(record.value)
    offsets = {tp.partition: (start, ends[tp]) for tp, start in sorted(starts.items())}
    return Read(collector, reviews, offsets)


async def _reviews(settings: Settings, since_us: int, stop: asyncio.Event) -> Reviews:
    reviews = Reviews()
    for name, fold, from_us in (
        ("alerted", reviews.take_alerted, max(0, since_us - _ALERTED_BEFORE_US)),
        ("decisions", reviews.take_decisions, since_us),
    ):
        log = SharedLog(settings, [settings.topic(name)], fold=fold, since_us=from_us)
        await log.read_to_end(stop)
    return reviews
