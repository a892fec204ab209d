"""Steady load: records sent at a rate whatever becomes of them, each noted when Kafka has acknowledged it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.faults.arithmetic import NUMBER_HEADER, POISON_HEADER
from tests.faults.ledger import Acknowledged, Ledger
from tests.faults.traffic import Outgoing

#: After an outage what is due is sent this much faster than the rate, so that the load comes back to its times.
CATCH_UP = 2.0
#: Longer than any outage of a campaign: a record that expires in the producer may have been written all the same.
DELIVERY_TIMEOUT_S = 240.0


class Load:
    """Sends until told to stop. A record whose sending failed for good is sent again, with the same number.

    The producer is not idempotent, as many are not: what is retried may arrive twice, and the engine must take it for
    the repetition that it is.
    """

    def __init__(self, broker: str, ledger: Ledger, *, prefix: str, rate: float) -> None:
        self._broker = broker
        self._ledger = ledger
        self._prefix = prefix
        self._rate = rate
        self._urgent: list[Outgoing] = []
        self._stop = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._delivering: set[asyncio.Task[None]] = set()
        self._error: BaseException | None = None
        self.sent = 0
        self.poisoned = 0
        self.sent_again = 0

    @property
    def waiting(self) -> int:
        """Records sent and not acknowledged yet."""
        return len(self._delivering)

    def inject(self, records: Iterable[Outgoing]) -> None:
        """Send these as soon as may be, beside the steady ones."""
        self._urgent += records

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()

    async def run(self, records: Iterator[Outgoing]) -> None:
        """Send at the rate until stopped, then wait for every acknowledgement. Raises what no retry can mend."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._broker,
            acks="all",
            compression_type="lz4",
            linger_ms=20,  # at 300 records/s six in a request, which three brokers on two cores notice
            request_timeout_ms=int(DELIVERY_TIMEOUT_S * 1000),
        )
        await self._producer.start()
        try:
            due_s = time.monotonic()
            while not self._stop.is_set():
                for record in self._urgent:
                    self._send(record)
                self._urgent.clear()
                self._send(next(records))
                due_s = max(due_s + 1 / self._rate, time.monotonic() - 60.0)
                late = time.monotonic() - due_s
                await asyncio.sleep(max(-late, 1 / (CATCH_UP * self._rate) if late > 0 else 0))
            while self._delivering:
                await asyncio.wait(self._delivering)
            self._ledger.sync()
            if self._error is not None:
                raise self._error
        finally:
            for task in self._delivering:
                task.cancel()
            await self._producer.stop()

    def _send(self, record: Outgoing) -> None:
        self.sent += 1
        self.poisoned += record.poison is not None
        task = asyncio.create_task(self._deliver(self.sent, record))
        self._delivering.add(task)
        task.add_done_callback(self._delivered)
        if self.sent % 500 == 0:
            self._ledger.sync()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._delivering.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error
            self._stop.set()

    async def _deliver(self, number: int, record: Outgoing) -> None:
        assert self._producer is not None
        headers = [(NUMBER_HEADER, str(number).encode())]
        if record.poison is not None:
            headers.append((POISON_HEADER, record.poison.encode()))
        topic = f"{self._prefix}{record.topic}"
        while True:
            try:
                written = await self._producer.send_and_wait(
                    topic, value=record.value, key=record.key, headers=headers
                )
            except KafkaError:
                # It may have been written all the same.
                self.sent_again += 1
                await asyncio.sleep(1.0)
                continue
            self._ledger.note(Acknowledged(number, record.topic, written.partition, written.offset))
            return
