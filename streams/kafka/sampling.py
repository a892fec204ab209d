"""A sample of what a topic holds between two times, read in short runs that are spread evenly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.reading import records_until_now

#: Records read in one place. Neighbours resemble each other (the same minute), so many short runs say more than few
#: long ones; but each costs a request of its own.
RUN: Final = 25


def runs(
    starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], wanted: int
) -> list[tuple[TopicPartition, int, int]]:
    """Where to read about `wanted` records: partitions with `[from, to)`, each offset at most once.

    Everything, where there is no more than that.
    """
    spans = {tp: (starts[tp], ends[tp]) for tp in sorted(starts) if starts[tp] < ends[tp]}
    there = sum(end - start for start, end in spans.values())
    if there <= wanted:
        return [(tp, start, end) for tp, (start, end) in spans.items()]
    found = []
    for tp, (start, end) in spans.items():
        count = max(1, round(wanted / RUN * (end - start) / there))
        step = (end - start) / count
        places = [start + int(number * step) for number in range(count)]
        # Where nearly everything is wanted, runs would reach into the next ones.
        found += [
            (tp, at, min(at + RUN, after)) for at, after in zip(places, [*places[1:], end], strict=True)
        ]
    return found


async def sampled(
    client: AIOKafkaConsumer,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    wanted: int,
) -> AsyncIterator[ConsumerRecord]:
    """About `wanted` records of the assigned partitions between these offsets; the consumer is left anywhere."""
    for tp, start, end in runs(starts, ends, wanted):
        async for record in records_until_now(client, {tp: start}, {tp: end}):
            yield record
