"""Reads what a deployment writes and takes down what belongs to the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Literal, Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from streams.kafka.dead_letters import REASON
from streams.stress.account import Account, Arrival, By
from streams.stress.clock import Clock
from streams.stress.identity import HEADER, number_of

logger = logging.getLogger(__name__)

#: Records taken from a fetch before the loop turns to others; the rest are at hand and follow at once.
_MOST_RECORDS: Final = 200
#: A score is written with six decimals: this close to the threshold it does not say on which side it was.
_ROUNDING: Final = 1e-6


class _Subject(msgspec.Struct, frozen=True):
    message_id: str | None = None
    listing_id: str | None = None


class _Evidence(msgspec.Struct, frozen=True):
    by: By


class _Alert(msgspec.Struct, frozen=True):
    subject: _Subject
    domain: str
    evidence: tuple[_Evidence, ...]


class _Rule(msgspec.Struct, frozen=True):
    domain: str
    mode: Literal["active", "shadow"]


class _Score(msgspec.Struct, frozen=True):
    domain: str
    threshold: float
    score: float | None = None


class _Prediction(msgspec.Struct, frozen=True):
    subject: _Subject
    rules: tuple[_Rule, ...]
    scores: tuple[_Score, ...]

    def evidence(self) -> set[tuple[str, By]]:
        """What its alerts must hold."""
        by_rules: set[tuple[str, By]] = {(r.domain, "rule") for r in self.rules if r.mode == "active"}
        return by_rules | {
            (s.domain, "model")
            for s in self.scores
            if s.score is not None and s.score > s.threshold + _ROUNDING
        }


# Only the fields named above are made into objects: 3 µs for a prediction of 2 kB, where all of it costs ten times more.
_decode_alert = msgspec.json.Decoder(_Alert).decode
_decode_prediction = msgspec.json.Decoder(_Prediction).decode


class Take(Protocol):
    """Takes down one record of somebody's."""

    def __call__(self, record: ConsumerRecord, at_s: float) -> None:
        """`at_s`: when it came into our hands, from the run's start."""


class Outputs:
    """Takes down alerts, predictions and dead letters of one run; those of others are left alone."""

    def __init__(
        self, run: str, account: Account, clock: Clock, *, predictions_topic: str, deadletter_topic: str
    ) -> None:
        self._run = run
        # Outputs are keyed by the transaction or the listing, whose ids are the run's own.
        self._key = f"{run}-".encode()
        self._account = account
        self._clock = clock
        self._takes: dict[str, Take] = {
            predictions_topic: self._take_prediction,
            deadletter_topic: self._take_dead_letter,
        }

    async def read(self, client: AIOKafkaConsumer) -> None:
        """Take down all that the consumer gets, until cancelled. Raises KafkaError."""
        while True:
            batches = await client.getmany(timeout_ms=500, max_records=_MOST_RECORDS)
            at_s = self._clock.now_s()
            for partition, records in batches.items():
                self.take(records, partition.topic, at_s)

    def take(self, records: Sequence[ConsumerRecord], topic: str, at_s: float) -> None:
        """Take down what a topic gave; `at_s` is when, from the run's start."""
        take = self._takes.get(topic, self._take_alert)
        for record in records:
            if not (record.key or b"").startswith(self._key):
                continue
            try:
                take(record, at_s)
            except msgspec.MsgspecError as error:
                # It bears our key and is not of the contract: the event then counts as lost, and the verdict says why.
                logger.warning(
                    "%s %d:%d cannot be read: %s", record.topic, record.partition, record.offset, error
                )
                self._account.unreadable[record.topic] += 1

    def _take_prediction(self, record: ConsumerRecord, at_s: float) -> None:
        prediction = _decode_prediction(record.value or b"")
        if (number := self._number(prediction.subject)) is not None:
            self._account.note_prediction(number, self._arrival(record, at_s), prediction.evidence())

    def _take_alert(self, record: ConsumerRecord, at_s: float) -> None:
        alert = _decode_alert(record.value or b"")
        if (number := self._number(alert.subject)) is not None:
            by = {item.by for item in alert.evidence}
            self._account.note_alert(number, alert.domain, by, self._arrival(record, at_s))

    def _take_dead_letter(self, record: ConsumerRecord, at_s: float) -> None:
        headers = dict(record.headers)
        number = number_of(self._run, headers.get(HEADER, b"").decode("utf-8", "replace"))
        if number is not None and number < self._account.due:
            reason = headers.get(REASON, b"").decode("utf-8", "replace")
            self._account.note_dead_letter(number, reason)

    def _number(self, subject: _Subject) -> int | None:
        number = number_of(self._run, subject.message_id or subject.listing_id or "")
        return number if number is not None and number < self._account.due else None

    def _arrival(self, record: ConsumerRecord, at_s: float) -> Arrival:
        return Arrival(at_s, self._clock.of_timestamp_s(record.timestamp))
