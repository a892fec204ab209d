"""Any bytes may stand in the topics: what is no alert and no decision is counted and passed over."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import rfc3339
from streams.review.alerted import ByPatrol, encode
from streams.review.book import Book
from streams.review.intake import ReviewIntake, Taken
from tests.unit.review.making import alerted, at


@dataclass
class Record:
    topic: str
    value: bytes | None
    key: bytes | None = b"k"
    timestamp: int = at(0, 3) // 1000
    headers: tuple[tuple[str, bytes | None], ...] = ()


def intake() -> ReviewIntake:
    return ReviewIntake(Book(), alerted="p.alerted", decisions="p.decisions")


def decision(alert_id: str, word: str, decided_at: str = rfc3339(at(0, 2))) -> Record:
    body = {"alert_id": alert_id, "verdict": word, "moderator_id": "mod-1", "decided_at": decided_at}
    return Record("p.decisions", json.dumps(body).encode(), alert_id.encode())


def test_alerts_and_decisions_meet_in_the_book() -> None:
    taking = intake()

    taking.fold([decision("a", "violation"), Record("p.alerted", encode(alerted("a")))])

    (case,) = taking.book.all_cases()
    assert case.verdict == "violation"
    assert taking.taken == Taken(alerts=1, decisions=1)


def test_what_cannot_be_used_is_counted_and_the_rest_goes_on() -> None:
    taking = intake()
    no_time = encode(alerted("x")).replace(b"2026-", b"soon-")

    taking.fold(
        [
            Record("p.alerted", b"{"),
            Record("p.alerted", None),
            Record("p.alerted", no_time),
            Record("p.alerted", b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
            Record("p.alerted", encode(alerted("p", ByPatrol(5e-324)))),
            Record("p.alerted", encode(alerted("a"))),
            Record("p.decisions", b"\xff"),
            decision("a", "perhaps"),
            decision("a", "violation"),
            decision("a", "violation"),
            Record("p.messages", b"{}"),
        ]
    )

    assert taking.taken == Taken(alerts=6, unreadable=5, decisions=4, unusable=2, repeated=1)
    assert len(taking.book) == 1


def test_a_decision_without_a_plausible_time_counts_from_the_brokers() -> None:
    taking = intake()

    taking.fold([Record("p.alerted", encode(alerted("a"))), decision("a", "violation", "some day")])

    (case,) = taking.book.all_cases()
    assert case.judgement[0].decided_at_us == at(0, 3)


@pytest.mark.parametrize("name", ["sekisho.format", "other"])
def test_a_header_without_a_value_ends_nothing(name: str) -> None:
    taking = intake()

    taking.fold([replace(decision("a", "violation"), headers=((name, None),))])

    assert taking.taken.unusable == int(name == "sekisho.format")


@given(st.integers(-(2**63), 2**63 - 1))
def test_no_time_that_kafka_keeps_ends_the_reading(timestamp: int) -> None:
    taking = intake()

    taking.fold([replace(decision("a", "violation"), timestamp=timestamp)])

    assert taking.taken.unusable == 0
    taking.book.forget(at(1))


@given(st.binary(max_size=200), st.sampled_from(["p.alerted", "p.decisions"]))
def test_no_bytes_end_the_reading(value: bytes, topic: str) -> None:
    intake().fold([Record(topic, value), Record(topic, b'{"format":1,' + value)])
