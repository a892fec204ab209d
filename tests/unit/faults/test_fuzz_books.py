"""The books of a fuzz run complain of whatever they should: a run that cannot fail would prove nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from tests.faults.fuzz.accounting import Books
from tests.faults.fuzz.specimens import CANARY, Specimen

BODY = {"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": "x"}
GOOD = Specimen("messages", b"t", json.dumps(BODY).encode())
BAD = Specimen("messages", b"t", b"{")
DECISION = Specimen(
    "decisions", b"a", b'{"alert_id":"a","verdict":"unsure","moderator_id":"m","decided_at":"now"}'
)
REPORT = Specimen(
    "reports",
    b"l",
    json.dumps(
        {
            "report_id": "r",
            "reported_at": "now",
            "domain": "counterfeit",
            "listing": {"listing_id": "l", "seller_id": "s", "title": "t"},
        }
    ).encode(),
)
PLACE = ("x.messages", 0, 7)


def record(
    name: str, value: bytes | None, key: bytes | None = None, /, **headers: str
) -> ConsumerRecord[Any, Any]:
    own = tuple((f"sekisho.{header}", content.encode()) for header, content in headers.items())
    return ConsumerRecord(name, 0, 0, 0, 0, key, value, None, 0, 0, own)


def prediction(**changes: Any) -> ConsumerRecord[Any, Any]:
    body = {
        "subject": {"type": "message", "message_id": "m", "transaction_id": "t"},
        "source": {"topic": PLACE[0], "partition": PLACE[1], "offset": PLACE[2]},
        "notes": [],
        **changes,
    }
    return record("x.predictions", json.dumps(body).encode())


def letter(specimen: Specimen, **changes: str) -> ConsumerRecord[Any, Any]:
    headers = {
        "reason": "not_json",
        "detail": "d",
        "topic": PLACE[0],
        "partition": "0",
        "offset": "7",
        "at": "now",
    }
    return record("x.deadletter", specimen.value, specimen.key, **(headers | changes))


def complaints(specimen: Specimen, *outputs: ConsumerRecord[Any, Any], counted: int = 0) -> set[str]:
    books = Books("x.")
    books.sent("a mutator", specimen, (f"x.{specimen.topic}", *PLACE[1:]))
    books.take(outputs)
    books.close(counted={specimen.topic: counted})
    assert books.verdict.ok == (not books.verdict.complaints)
    return set(books.verdict.complaints)


def test_nothing_to_complain_of() -> None:
    assert complaints(GOOD, prediction()) == set()
    assert complaints(BAD, letter(BAD)) == set()
    assert complaints(replace(GOOD, key=None), prediction(notes=["key_missing", "time_implausible"])) == set()
    assert complaints(DECISION, counted=1) == set()
    assert complaints(REPORT, counted=1) == set()


@pytest.mark.parametrize(
    ("specimen", "outputs", "promise"),
    [
        (GOOD, (), "a record without an outcome"),
        (GOOD, (prediction(), prediction()), "outputs repeated without a cause"),
        (BAD, (letter(BAD), letter(BAD)), "outputs repeated without a cause"),
        (BAD, (letter(BAD), letter(BAD, reason="empty")), "two outcomes"),
        (GOOD, (letter(GOOD),), "a usable record put aside"),
        (BAD, (prediction(),), "a prediction of what the schemas refuse"),
        (GOOD, (prediction(subject={"message_id": "other"}),), "another subject"),
        (GOOD, (prediction(notes=["key_mismatch"]),), "notes"),
        (replace(GOOD, key=b"else"), (prediction(),), "notes"),
        (BAD, (letter(BAD, reason="mood"),), "a reason that is not documented"),
        (BAD, (letter(BAD, reason="too_large"),), "another reason than the contract gives"),
        (BAD, (letter(GOOD),), "a dead letter with other bytes than the record's"),
        (BAD, (letter(BAD, detail=CANARY),), "a detail that holds the record's text"),
        (BAD, (letter(BAD, partition="x"),), "a dead letter without its reason or place"),
        (GOOD, (prediction(), letter(BAD, offset="8")), "an output of nothing that was sent"),
        (DECISION, (), "decisions"),
        (REPORT, (), "reports"),
        (REPORT, (letter(REPORT, topic="x.reports"),), "a usable record put aside"),
        (replace(DECISION, value=b"{}"), (), "an unusable record that was taken"),
        (replace(REPORT, value=b"{}"), (), "an unusable record that was taken"),
    ],
)
def test_each_broken_promise(
    specimen: Specimen, outputs: tuple[ConsumerRecord[Any, Any], ...], promise: str
) -> None:
    assert promise in complaints(specimen, *outputs)


def test_an_output_that_comes_before_its_acknowledgement_is_kept() -> None:
    books = Books("x.")
    books.take([prediction()])
    books.sent("a mutator", GOOD, PLACE)
    assert books.unaccounted == 1
    books.take([])
    assert books.unaccounted == 0
    books.close(counted={})
    assert books.verdict.ok
    assert books.by_mutator() == {"a mutator": {"prediction": 1}}


def test_a_record_of_rescore_is_found_by_the_place_it_claims() -> None:
    claim = {"topic": "x.messages", "partition": 3, "offset": 10**12}
    books = Books("x.")
    books.sent("rescore", Specimen("rescore", b"t", json.dumps(claim).encode()), ("x.rescore", 0, 1))
    books.take([prediction(source=claim)])
    books.close(counted={})
    assert books.verdict.ok
