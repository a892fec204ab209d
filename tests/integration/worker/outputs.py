"""What came out of the engine, read back from every topic, and what should have: an oracle of windows of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord

from streams.kafka import dead_letters
from streams.settings import Settings
from tests.integration.kafka_records import everything_in

Place = tuple[str, int, int]


@dataclass
class Outputs:
    """Everything on the output topics, by the event it belongs to."""

    produced: dict[Place, ConsumerRecord] = field(default_factory=dict)
    predictions: dict[Place, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    dead_letters: dict[Place, list[dead_letters.DeadLetter]] = field(
        default_factory=lambda: defaultdict(list)
    )
    alerts: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    rescore: list[dict[str, Any]] = field(default_factory=list)

    @property
    def missing(self) -> set[Place]:
        return set(self.produced) - set(self.predictions) - set(self.dead_letters)

    @property
    def invented(self) -> set[Place]:
        return (set(self.predictions) | set(self.dead_letters)) - set(self.produced)

    def prediction_of(self, message_id: str) -> dict[str, Any]:
        found = [p[-1] for p in self.predictions.values() if p[-1]["subject"].get("message_id") == message_id]
        assert found, f"no prediction of {message_id}"
        return found[-1]

    def alerts_of(self, subject_id: str) -> list[dict[str, Any]]:
        return [
            alert
            for alerts in self.alerts.values()
            for alert in alerts
            if subject_id in (alert["subject"].get("message_id"), alert["subject"].get("listing_id"))
        ]

    def dead_letter_reasons(self) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for letters in self.dead_letters.values():
            counts[letters[0].reason] += 1
        return dict(counts)


async def read_outputs(settings: Settings, domains: Iterable[str]) -> Outputs:
    outputs = Outputs()
    names = [
        "messages",
        "listings",
        "predictions",
        "deadletter",
        "rescore",
        *(f"alerts.{d}" for d in domains),
    ]
    for record in await everything_in(settings, *(settings.topic(name) for name in names)):
        name = record.topic.removeprefix(settings.topic_prefix)
        place = (record.topic, record.partition, record.offset)
        if name in ("messages", "listings"):
            outputs.produced[place] = record
        elif name == "predictions":
            body = json.loads(record.value)
            source = body["source"]
            outputs.predictions[source["topic"], source["partition"], source["offset"]].append(body)
        elif name == "deadletter":
            letter = dead_letters.parse(record.key, record.value, record.headers)
            outputs.dead_letters[letter.topic, letter.partition, letter.offset].append(letter)
        elif name == "rescore":
            outputs.rescore.append(json.loads(record.value))
        else:
            body = json.loads(record.value)
            assert body["domain"] == name.removeprefix("alerts.")
            outputs.alerts[body["domain"], body["alert_id"]].append(body)
    return outputs


async def accounted_for(settings: Settings, domains: Iterable[str], *, timeout_s: float = 60.0) -> Outputs:
    """Wait until every produced event has a prediction or a dead letter, then read once more: of the outputs of one event,
    which are sent together, the prediction may be there before the alert.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        outputs = await read_outputs(settings, domains)
        if not outputs.missing:
            await asyncio.sleep(1.0)
            return await read_outputs(settings, domains)
        assert time.monotonic() < deadline, (
            f"{len(outputs.missing)} of {len(outputs.produced)} unaccounted for, e.g. {sorted(outputs.missing)[:5]}"
        )
        await asyncio.sleep(0.5)


def windows_by_hand(records: Iterable[ConsumerRecord]) -> dict[Place, list[str]]:
    """Message ids of the window of each event, written down naively from the records of `messages`.

    For valid, unique messages that all have a plausible `sent_at`, or none (then the broker's time counts): per
    partition and transaction, the last five that had arrived and were not sent later.
    """
    arrived: dict[tuple[int, str], list[tuple[str, int, str]]] = defaultdict(list)
    windows: dict[Place, list[str]] = {}
    for record in sorted(records, key=lambda r: (r.partition, r.offset)):
        event = json.loads(record.value)
        sent = event.get("sent_at") or f"{record.timestamp:020d}"
        entry = (sent, record.offset, event["message_id"])
        conversation = arrived[record.partition, event["transaction_id"]]
        conversation.append(entry)
        before = sorted(e for e in conversation if e <= entry)
        windows[record.topic, record.partition, record.offset] = [e[2] for e in before[-5:]]
    return windows
