"""Sends a run's events when they are due, whatever becomes of those before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.stress.account import Account
from streams.stress.clock import Clock
from streams.stress.material import Draft, Topic, record

#: Behind its schedule the sender lets acknowledgements and outputs have their turn after so many events.
_TURN_AFTER: Final = 32
#: How long a told stop may go unnoticed.
_LOOK_S: Final = 0.25


async def send_all(
    client: AIOKafkaProducer,
    topics: Mapping[Topic, str],
    drafts: Iterator[Draft],
    due_s: list[float],
    *,
    run: str,
    account: Account,
    clock: Clock,
    stopped: Callable[[], bool],
) -> None:
    """Send one event at each time of `due_s`; late ones as fast as may be, with the time at which they were due.

    `topics` are full names. Returns when the last was handed to the producer, or when `stopped` says so. What cannot be
    sent is noted in the account.
    """
    for number, due in enumerate(due_s):
        while (wait_s := due - clock.now_s()) > 0:
            await asyncio.sleep(min(wait_s, _LOOK_S))
            if stopped():
                return
        if number % _TURN_AFTER == 0:
            await asyncio.sleep(0)
            if stopped():
                return
        await _send_one(
            client, topics, next(drafts), run=run, number=number, due=due, account=account, clock=clock
        )


async def _send_one(
    client: AIOKafkaProducer,
    topics: Mapping[Topic, str],
    draft: Draft,
    *,
    run: str,
    number: int,
    due: float,
    account: Account,
    clock: Clock,
) -> None:
    outgoing = record(draft, run, number, clock.at_us(due))
    account.note_sent(number, clock.now_s())

    def done(future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            account.note_refused(number, "the producer stopped first")
        elif (error := future.exception()) is not None:
            account.note_refused(number, type(error).__name__)
        else:
            account.note_acknowledged(number, clock.now_s())

    try:
        acknowledged = await client.send(
            topics[draft.topic], value=outgoing.value, key=outgoing.key, headers=list(outgoing.headers)
        )
    except KafkaError as error:  # refused before it left, e.g. too large
        account.note_refused(number, type(error).__name__)
    else:
        acknowledged.add_done_callback(done)
