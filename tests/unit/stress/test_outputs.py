"""Records as the engine writes them, taken down by their bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from aiokafka import ConsumerRecord

from streams.kafka.dead_letters import DeadLetter, headers_of
from streams.stress.account import Account
from streams.stress.clock import Clock
from streams.stress.outputs import Outputs

RUN = "stress-20261121T180000Z-3f9a1c"
STARTED_MS = 1_795_284_000_000


class Taken:
    """An account of four events due at 0 s, and what it takes down."""

    def __init__(self) -> None:
        self.account = Account(np.zeros(4))
        clock = Clock(0.0, STARTED_MS * 1000)
        self.outputs = Outputs(
            RUN, self.account, clock, predictions_topic="p.predictions", deadletter_topic="p.deadletter"
        )
        for number in range(4):
            self.account.note_sent(number, 0.0)
            self.account.note_acknowledged(number, 0.0)

    def read(self, topic: str, value: Any, *, key: str = f"{RUN}-t1", headers: Any = ()) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        record = ConsumerRecord(
            topic, 0, 7, STARTED_MS + 250, 0, key.encode(), body, None, len(key), len(body), tuple(headers)
        )
        self.outputs.take([record], topic, at_s=0.3)


def prediction(number: int, **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "message", "message_id": f"{RUN}-{number}", "transaction_id": f"{RUN}-t1"},
        "rules": [],
        "scores": [],
        "input": {"messages": []},
        **more,
    }


def score(domain: str, value: float | None) -> dict[str, Any]:
    return {"domain": domain, "model": "m", "threshold": 0.5, "score": value}


def test_a_prediction_says_what_its_alerts_must_hold() -> None:
    taken = Taken()
    rules = [{"domain": "pay", "mode": "active"}, {"domain": "insult", "mode": "shadow"}]
    scores = [score("pay", 0.9), score("insult", 0.4), score("edge", 0.5000004), score("away", None)]
    taken.read("p.predictions", prediction(2, rules=rules, scores=scores))
    assert taken.account.unalerted == [(2, "pay", "model"), (2, "pay", "rule")]
    assert taken.account.prediction().received_s.tolist() == pytest.approx([0.3])
    assert taken.account.prediction().stamped_s.tolist() == pytest.approx([0.25])
    alert = {
        "subject": {"type": "message", "message_id": f"{RUN}-2", "transaction_id": f"{RUN}-t1"},
        "domain": "pay",
        "evidence": [{"by": "rule", "rule_id": "r"}, {"by": "model", "score": 0.9}],
    }
    taken.read("p.alerts.pay", alert)
    assert taken.account.unalerted == []


def test_a_dead_letter_is_known_by_its_header() -> None:
    taken = Taken()
    original = (("sekisho.stress", f"{RUN}-3".encode()),)
    letter = DeadLetter("bad_value", "writer", "p.messages", 0, 1, 0, headers=original)
    taken.read("p.deadletter", b"{", headers=headers_of(letter))
    assert taken.account.dead_letters == {"bad_value": 1}
    assert taken.account.lost == 3


def test_what_others_wrote_is_left_alone() -> None:
    taken = Taken()
    others = prediction(0, subject={"type": "message", "message_id": "m1", "transaction_id": "t1"})
    taken.read("p.predictions", others, key="t1")
    taken.read("p.predictions", b"not even json", key="t1")
    taken.read("p.predictions", prediction(99))  # a number that this run never sent
    assert taken.account.predictions == 0
    assert taken.account.unreadable == {}


def test_what_is_ours_and_cannot_be_read_is_counted() -> None:
    taken = Taken()
    taken.read("p.predictions", {"subject": {"message_id": f"{RUN}-0"}})
    taken.read("p.alerts.pay", b"\xff")
    assert taken.account.unreadable == {"p.predictions": 1, "p.alerts.pay": 1}
