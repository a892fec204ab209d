"""The work per message, from Sekisho's own pure functions, for systems that do not run Sekisho.

All use the same masking, tokeniser, rule engine, thresholds and records, so that what is compared is how a system takes
messages in, keeps windows, asks models and gives its answers out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import orjson

from streams.agents.messages import turn_of
from streams.conclusion import conclude
from streams.diagnostics import errors
from streams.events import Decoded, Message, Position, decode_message
from streams.features.images import ImageLoader
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion
from streams.inference.scorer import ModelScore
from streams.rule_engine import RuleSet, RuleWatch
from streams.rulebook import LiveRulebook, Rulebook, RulebookRefused
from streams.rulebook.check import check
from streams.rulebook.files import take_snapshot
from streams.screening import Case, Examiner, Source, wanted_models
from streams.windows import WINDOW, Turn

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """A decoded message with the record it came in, and as its conversation's window keeps it."""

    source: Source
    decoded: Decoded[Message]
    turn: Turn

    @property
    def conversation(self) -> str:
        """The transaction it belongs to."""
        return self.decoded.event.transaction_id


@dataclass(frozen=True, slots=True)
class Answer:
    """What is written for one message: its prediction, and an alert for each domain that has evidence."""

    key: bytes
    prediction: bytes
    alerts: tuple[tuple[str, bytes], ...]


class Moderation:
    """Everything about a message but keeping its window and asking models. Reads the rules once.

    Raises `RulebookRefused` for rules with errors.
    """

    def __init__(self, rules_dir: Path) -> None:
        now_us = time.time_ns() // 1000
        bundle = check(take_snapshot(rules_dir).files, now_us=now_us)
        if not bundle.usable:
            raise RulebookRefused(errors(bundle.issues))
        rules = RuleSet(bundle.rules, watch=RuleWatch())  # counted and valved as a worker's
        book = Rulebook(rules, bundle.policy, now_us / 1e6)
        self._examiner = Examiner(
            # All that an examiner asks of a live rulebook is the current one.
            rulebook=cast("LiveRulebook", SimpleNamespace(current=book)),
            text=TextPipeline(),
            images=ImageLoader(hosts=(), paths=None, timeout_s=1.0),
        )
        self.policy = book.policy

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        """The models that every message is scored by."""
        return tuple(dict.fromkeys(wanted.model for wanted in wanted_models(self.policy, "message")))

    def case(self, arrived: Arrived, window: Sequence[Turn]) -> Case:
        """Mask, tokenise and screen by rules; `window` is oldest first and ends in the message."""
        return self._examiner.message(arrived.decoded, window, arrived.source)


def arrive(
    topic: str, partition: int, offset: int, *, timestamp_us: int, key: bytes | None, value: bytes
) -> Arrived:
    """Decode a record of `messages`. Raises `BadRecord`, which generated messages give no cause for."""
    source = Source(Position(topic, partition, offset), timestamp_us, key, value)
    decoded = decode_message(value, key=key, timestamp_us=timestamp_us)
    return Arrived(source, decoded, turn_of(decoded, offset, timestamp_us))


def last_five(before: Sequence[Turn], turn: Turn) -> tuple[Turn, ...]:
    """The window as most people would keep it. Generated messages come once and in order, so it is Sekisho's window."""
    return (*before[-(WINDOW - 1) :], turn)


def answer(case: Case, scores: Mapping[ModelVersion, float]) -> Answer:
    """Apply the thresholds and write alerts and prediction."""
    conclusion = conclude(
        case,
        {model: ModelScore(score) for model, score in scores.items()},
        notes=(),
        now_us=time.time_ns() // 1000,
        rescore_max_age_us=_DAY_US,
    )
    assert conclusion.prediction is not None, "scores were given for every model"
    return Answer(
        key=case.screened.subject.key.encode(),
        prediction=orjson.dumps(conclusion.prediction),
        alerts=tuple((domain, orjson.dumps(alert)) for domain, alert in conclusion.alerts),
    )
