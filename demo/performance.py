"""The demo's performance: traffic in at a rate, everything out into the ledger, one rule edited on the way."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from demo.ledger import Ledger, Sent
from demo.stage import Stage
from marketplace import Pace, TrafficEvent, traffic, with_reports
from streams.kafka import clients, dead_letters
from streams.kafka.topics import alerts_topic

#: One record in so many is one that no producer should send, so that dead letters are seen too.
BROKEN_EVERY = 250
#: One message in so many uses this week's new trick, which no shipped rule knows.
NEW_TRICK_EVERY = 60
#: The rule is written after this share of the time.
EDIT_AT = 0.4
#: How long after the last event the outputs are waited for.
DRAIN_S = 60.0

NEW_TRICK = "モノペイで先に払ってもらえたら値引きします"
NEW_RULE_ID = "demo.new_payment_app"
NEW_RULE = """\
format: 1
rules:
  - id: demo.new_payment_app
    description: A payment app that appeared this week, offered outside the marketplace.
    domain: off_platform_payment
    owner: demo@example.com
    severity: high
    score: 80
    mode: active
    applies_to: {type: message}
    match:
      any: [モノペイ]
    tests:
      should_match:
        - {text: モノペイで払えますか}
      should_not_match:
        - {text: 支払いはコンビニでします}
"""

BROKEN = (
    b"not json at all",
    b'{"message_id": "m", "text": "no transaction"}',
    b'{"message_id": "m", "transaction_id": "t", "writer": "robot", "text": "?"}',
    "Shift_JIS のつもり".encode("shift_jis"),
)


@dataclass(slots=True)
class Edit:
    """The rule that a moderator writes while the engine runs: when, and when it first raised an alert."""

    written_at_s: float | None = None
    first_alert_at_s: float | None = None


@dataclass(slots=True)
class Performance:
    """The demo while it runs; a screen may read it at any time."""

    stage: Stage
    seconds: float
    rate: float
    seed: int
    ledger: Ledger = field(default_factory=Ledger)
    edit: Edit = field(default_factory=Edit)
    began_s: float = 0.0
    produced_for_s: float = 0.0
    on_alert: Callable[[dict[str, Any]], None] = lambda _: None
    on_edit: Callable[[str], None] = lambda _: None
    _sent_at: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Produce for `seconds`, read everything that comes out, and wait until all is accounted for."""
        settings = self.stage.settings
        outputs = [settings.topic("predictions"), settings.topic("deadletter")]
        outputs += [alerts_topic(settings, domain) for domain in self.stage.policy.domains]
        async with (
            clients.consumer(settings, *outputs, fetch_max_wait_ms=10) as consumer,
            clients.producer(settings, linger_ms=0) as producer,
        ):
            reading = asyncio.create_task(self._read(consumer))
            self.began_s = time.monotonic()
            try:
                await asyncio.gather(self._produce(producer), self._edit_rules())
                self.produced_for_s = time.monotonic() - self.began_s
                await self._wait_until_accounted_for(reading)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _produce(self, producer: AIOKafkaProducer) -> None:
        """Send events at the rate; each is due at its own time, so a slow moment is made up for."""
        sending: set[asyncio.Task[None]] = set()
        for number, event in enumerate(self._events()):
            due_s = self.began_s + number / self.rate
            if due_s - self.began_s >= self.seconds:
                break
            if (wait_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            task = asyncio.create_task(self._send(producer, event))
            sending.add(task)
            task.add_done_callback(sending.discard)
            if len(sending) > 2000:
                await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*sending)

    async def _send(self, producer: AIOKafkaProducer, event: TrafficEvent | bytes) -> None:
        now_s = time.time()
        if isinstance(event, bytes):
            topic, key, value, labels = "messages", b"broken", event, {}
        else:
            topic, key, value, labels = (
                event.topic,
                event.key.encode(),
                orjson.dumps(event.value),
                event.labels,
            )
            if event.topic != "reports":
                self._sent_at[str(event.value.get("message_id") or event.key)] = now_s
        name = self.stage.settings.topic(topic)
        sent = await producer.send_and_wait(name, value=value, key=key)
        if topic == "reports" and isinstance(event, TrafficEvent):
            self.ledger.reports.add(event.value["report_id"])
        else:
            self.ledger.produced[name, sent.partition, sent.offset] = Sent(now_s, labels)

    def _events(self) -> Iterator[TrafficEvent | bytes]:
        pace = Pace(events_per_s=self.rate)
        ordinary = with_reports(traffic(self.seed, start=datetime.now(UTC), pace=pace), self.seed)
        broken = itertools.cycle(BROKEN)
        for number in itertools.count(1):
            if number % BROKEN_EVERY == 0:
                yield next(broken)
            elif number % NEW_TRICK_EVERY == 0:
                yield _new_trick(number)
            else:
                yield next(ordinary)

    async def _edit_rules(self) -> None:
        """What a moderator does: save a new file in the rules directory."""
        await asyncio.sleep(self.seconds * EDIT_AT)
        path = self.stage.rules_dir / "demo_this_week.yaml"
        partial = path.with_suffix(".tmp")
        await asyncio.to_thread(partial.write_text, NEW_RULE, encoding="utf-8")
        partial.rename(path)
        self.edit.written_at_s = time.monotonic()
        self.on_edit(str(path))

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        settings = self.stage.settings
        async for record in consumer:
            if record.topic == settings.topic("predictions"):
                self.ledger.note_prediction(json.loads(record.value))
            elif record.topic == settings.topic("deadletter"):
                letter = dead_letters.parse(record.key, record.value, record.headers)
                self.ledger.note_dead_letter((letter.topic, letter.partition, letter.offset), letter.reason)
            else:
                self._take_alert(json.loads(record.value))

    def _take_alert(self, alert: dict[str, Any]) -> None:
        subject = alert["subject"]
        sent_at_s = self._sent_at.get(subject.get("message_id") or subject.get("listing_id"))
        self.ledger.note_alert(alert, sent_at_s=sent_at_s, now_s=time.time())
        if self.edit.first_alert_at_s is None and any(
            e.get("rule_id") == NEW_RULE_ID for e in alert["evidence"]
        ):
            self.edit.first_alert_at_s = time.monotonic()
        self.on_alert(alert)

    async def _wait_until_accounted_for(self, reading: asyncio.Task[None]) -> None:
        deadline = time.monotonic() + DRAIN_S
        while (self.ledger.missing or self.ledger.unanswered) and time.monotonic() < deadline:
            if reading.done():
                reading.result()
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)  # alerts and predictions are on different topics: let the last alerts arrive


def _new_trick(number: int) -> TrafficEvent:
    identity = f"trick-{number}"
    value = {
        "message_id": f"{identity}-0",
        "transaction_id": identity,
        "writer": "seller",
        "text": NEW_TRICK,
        "status": "waiting_for_payment",
        "sent_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return TrafficEvent("messages", identity, value, {"off_platform_payment": 1})
