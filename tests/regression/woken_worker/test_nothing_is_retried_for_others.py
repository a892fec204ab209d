"""Outputs were tried again after their partition had gone to another worker: old states and alerts after newer ones."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.errors import KafkaTimeoutError
from prometheus_client import REGISTRY

from streams.kafka.outbox import Outbox, Outgoing


class Away:
    """Stands for a broker that is away until it is `back`."""

    def __init__(self) -> None:
        self.back = False
        self.tried: list[bytes] = []
        self.took: list[bytes] = []
        self.first_try = asyncio.Event()

    async def send(self, topic: str, *, value: bytes, **_: Any) -> asyncio.Future[None]:
        self.tried.append(value)
        self.first_try.set()
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.back:
            self.took.append(value)
            answer.set_result(None)
        else:
            answer.set_exception(KafkaTimeoutError())
        return answer


def dropped() -> float:
    return REGISTRY.get_sample_value("sekisho_outputs_dropped_total") or 0.0


async def test_what_went_to_another_worker_is_dropped_and_counted_what_is_still_ours_is_not() -> None:
    kafka, lost, before = Away(), set[int | None](), dropped()
    records = [Outgoing("t", b"k", b"%d" % number, partition=number) for number in range(3)]
    sending = asyncio.create_task(
        Outbox(kafka).send(records, still=lambda record: record.partition not in lost)  # type: ignore[arg-type]
    )
    await kafka.first_try.wait()
    lost.add(1)
    kafka.back = True
    async with asyncio.timeout(60):
        assert not await sending, "one was not written"
    assert sorted(kafka.took) == [b"0", b"2"]
    assert dropped() - before == 1


async def test_a_write_of_which_nothing_is_ours_any_more_ends() -> None:
    kafka, ours = Away(), [True]
    sending = asyncio.create_task(
        Outbox(kafka).send([Outgoing("t", b"k", b"v")], still=lambda _: ours[0])  # type: ignore[arg-type]
    )
    await kafka.first_try.wait()
    ours[0] = False
    async with asyncio.timeout(60):
        assert not await sending
    assert kafka.took == []


async def test_what_came_late_but_wholly_was_written() -> None:
    kafka = Away()
    sending = asyncio.create_task(Outbox(kafka).send([Outgoing("t", b"k", b"v")]))  # type: ignore[arg-type]
    await kafka.first_try.wait()
    kafka.back = True
    async with asyncio.timeout(60):
        assert await sending
