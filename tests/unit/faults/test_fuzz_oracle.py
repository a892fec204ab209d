"""The fuzz run's oracle on records whose fate the contract states, and mutations that are the same for the same seed."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from tests.faults.fuzz.drawing import MUTATORS, drawn
from tests.faults.fuzz.oracle import documented_reasons, reading
from tests.faults.fuzz.record_mutators import MAX_RECORD_BYTES
from tests.faults.fuzz.specimens import Specimen, good

MESSAGE = {"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": "x"}
LISTING = {"listing_id": "l", "seller_id": "s", "title": "t"}


def message(**changes: object) -> Specimen:
    return Specimen("messages", b"t", json.dumps({**MESSAGE, **changes}).encode())


def listing(**changes: object) -> Specimen:
    return Specimen("listings", b"l", json.dumps({**LISTING, **changes}).encode())


def report(**changes: object) -> Specimen:
    frame = {"report_id": "r", "reported_at": "2026-11-21T10:00:00Z", "domain": "harassment"}
    return Specimen("reports", b"t", json.dumps({**frame, **changes}).encode())


def test_the_documented_reasons_are_found_on_the_page() -> None:
    assert {"empty", "not_utf8", "not_json", "too_large", "bad_rescore"} <= documented_reasons()
    assert len(documented_reasons()) == 10


@pytest.mark.parametrize(
    ("specimen", "reasons"),
    [
        (replace(message(), value=None), {"empty"}),
        (replace(message(), value=b"\xff"), {"not_utf8", "not_json"}),
        (replace(message(), value=b'{"a": NaN}'), {"not_json"}),
        (replace(message(), value=b"[]"), {"wrong_type"}),
        (replace(message(), headers=((b"sekisho.format", b"2"),)), {"unknown_version"}),
        (replace(message(), value=b" " * (MAX_RECORD_BYTES + 1)), {"too_large"}),
        (message(text=7), {"wrong_type"}),
        (message(text=None), {"missing_field"}),
        (message(writer="robot"), {"bad_value", "wrong_type"}),
        (message(message_id=""), {"bad_value"}),
        (message(text="a" * 100_001), {"bad_value"}),
        (listing(price="1"), {"wrong_type"}),
        (listing(attributes={"a": []}), {"wrong_type"}),
        (listing(images=[{}] * 51), {"bad_value"}),
        (report(), {"missing_field", "bad_value"}),
        (report(listing=LISTING, message=MESSAGE), {"missing_field", "bad_value"}),
        (report(listing=LISTING, conversation=[MESSAGE]), {"missing_field"}),
        (report(message=MESSAGE, conversation=[{**MESSAGE, "transaction_id": "u"}]), {"bad_value"}),
        (report(message=MESSAGE, domain="elsewhere"), {"unknown_domain"}),
        (report(message=MESSAGE, domain="counterfeit"), {"bad_value"}),
        (report(subject={"type": "listing", "listing_id": "l", "seller_id": "s"}), {"bad_value"}),
    ],
    ids=itertools.count(),
)
def test_what_cannot_be_used(specimen: Specimen, reasons: set[str]) -> None:
    found = reading(specimen)
    assert (found.usable, set(found.reasons)) == (False, reasons)


@pytest.mark.parametrize(
    ("specimen", "ident", "notes"),
    [
        (message(), "m", set()),
        (message(status=None, colour="red"), "m", set()),
        (replace(message(), key=None), "m", {"key_missing"}),
        (replace(message(), key=b"x"), "m", {"key_mismatch"}),
        (message(message_id="\ud800"), "\ufffd", {"lone_surrogate"}),
        (
            replace(message(), value=b'{"text":"\\ud800",' + (message().value or b"")[1:]),
            "m",
            {"lone_surrogate"},
        ),
        (listing(price=1e3, attributes={"a": None, "b": True}, images=None), "l", set()),
        (
            report(message={**MESSAGE, "status": None}, conversation=[{**MESSAGE, "sent_at": None}]),
            "r",
            set(),
        ),
        (report(listing=LISTING, message=None, domain="counterfeit"), "r", {"key_mismatch"}),
        (report(subject={"type": "message", "message_id": "m", "transaction_id": "t"}), "r", set()),
    ],
    ids=itertools.count(),
)
def test_what_can(specimen: Specimen, ident: str, notes: set[str]) -> None:
    found = reading(specimen)
    assert (found.usable, found.ident, set(found.notes)) == (True, ident, notes)


@pytest.mark.parametrize("inside", ["1e999", "9" * 400, "[" * 400 + "]" * 400, "[" * 5000])
def test_what_the_contract_leaves_open(inside: str) -> None:
    value = (message().value or b"")[:-1] + f',"x":{inside}}}'.encode()
    assert reading(replace(message(), value=value)).usable in (None, False)


def test_good_specimens_are_good() -> None:
    for specimen in itertools.islice(good(3), 60):
        assert reading(specimen).usable is True


def test_the_same_seed_draws_the_same_records() -> None:
    def some(seed: int) -> list[object]:
        return list(itertools.islice(drawn(seed, prefix="x.", port=9, now_us=10**15), 120))

    assert some(5) == some(5)
    assert some(5) != some(6)
    assert len({mutator.name for mutator in MUTATORS}) == len(MUTATORS)
