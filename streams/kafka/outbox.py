"""The outbox: records on their way to Kafka, awaited until every one is acknowledged, retried while the broker is away.

Nothing that this returns from is lost: offsets are committed only after it. What is retried may arrive twice, which
is safe because every record carries a deterministic identity. What belongs to somebody else meanwhile is not retried.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from streams import metrics
from streams.kafka.dead_letters import DeadLetter, bare, fit, headers_of
from streams.kafka.permissions import explained

logger = logging.getLogger(__name__)

#: Pauses between attempts while the broker is away, in seconds; the last repeats.
RETRY_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
#: Bytes of a value too large for the broker that a dead letter keeps: under Kafka's default limit of 1 MB with room
#: for headers. The rest still stands at the source topic, partition and offset in its headers.
CUT_BYTES = 900_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send. `partition` None lets the key decide.

    `letter` is the dead letter that the record was made from: it may be cut to what the broker takes.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    letter: DeadLetter | None = None


@dataclass(slots=True)
class Outbox:
    """Sends records through one aiokafka producer. `acknowledged` is told of each that Kafka has, with its offset there."""

    producer: AIOKafkaProducer
    acknowledged: Callable[[Outgoing, Any], None] = lambda _record, _metadata: None

    async def send(
        self, records: Sequence[Outgoing], *, still: Callable[[Outgoing], bool] = lambda _: True
    ) -> bool:
        """Send all records and return when Kafka has acknowledged each: True.

        False if some were dropped because they belong to somebody else by then.
        Retries for as long as the broker is away; the caller bounds that by its own shutdown. Before each attempt `still`
        is asked: a record whose partition has another owner by then is dropped and counted, for that owner writes it
        from what was not committed. Raises `MissingPermissionError`, and `KafkaError` for what else no retry can mend,
        e.g. a record larger than the topic allows.
        """
        waiting = list(records)
        attempt = 0
        complete = True
        while waiting:
            kept = _kept(waiting, still)
            complete = complete and len(kept) == len(waiting)
            waiting = kept
            results = await asyncio.gather(*map(self._send_one, waiting), return_exceptions=True)
            again: list[Outgoing] = []
            for record, result in zip(waiting, results, strict=True):
                if not isinstance(result, BaseException):
                    continue
                if isinstance(result, MessageSizeTooLargeError) and record.letter is not None:
                    again.append(_cut(record))
                elif _worth_retrying(result):
                    again.append(record)
                elif isinstance(result, KafkaError):
                    raise explained(result, operation="Write") from result
                else:
                    raise result
            waiting = again
            if waiting:
                pause_s = RETRY_PAUSES_S[min(attempt, len(RETRY_PAUSES_S) - 1)]
                if attempt == len(RETRY_PAUSES_S):
                    logger.warning("Kafka does not take records: %d wait and are tried again", len(waiting))
                attempt += 1
                await asyncio.sleep(pause_s)
        return complete

    async def _send_one(self, record: Outgoing) -> None:
        sent: asyncio.Future[Any] = await self.producer.send(
            record.topic,
            value=record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers) or None,
        )
        self.acknowledged(record, await sent)


def _kept(records: list[Outgoing], still: Callable[[Outgoing], bool]) -> list[Outgoing]:
    kept = [record for record in records if still(record)]
    if dropped := len(records) - len(kept):
        metrics.OUTPUTS_DROPPED.inc(dropped)
        logger.warning("%d records are not written: their partitions have another owner now", dropped)
    return kept


def _worth_retrying(error: BaseException) -> bool:
    return isinstance(error, KafkaTimeoutError) or (isinstance(error, KafkaError) and bool(error.retriable))


def _cut(record: Outgoing) -> Outgoing:
    """A smaller record of the same dead letter: its value cut to `CUT_BYTES`, then without the original's key and
    headers, then by half until the broker takes it.
    """
    assert record.letter is not None
    letter = record.letter
    size = len(letter.value or b"")
    if size > CUT_BYTES:
        letter = fit(letter, CUT_BYTES)
    elif letter.headers or letter.key:
        letter = bare(letter)
    elif size:
        letter = fit(letter, size // 2)
    else:
        raise MessageSizeTooLargeError(
            f"{record.topic} does not take a dead letter that is nothing but its reason"
        )
    return dead_letter(record.topic, letter)


def dead_letter(topic: str, letter: DeadLetter) -> Outgoing:
    """The record that puts a dead letter aside, under its original key.

    A record that had neither key nor value gets an empty value: Kafka's clients send none that lacks both.
    """
    value = b"" if letter.key is None and letter.value is None else letter.value
    return Outgoing(topic, letter.key, value, headers=tuple(headers_of(letter)), letter=letter)
