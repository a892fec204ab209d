"""One record that was not ours, on `rescore`, stopped every worker that read it, and the next, and the next."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.agents.intake import source_of
from streams.agents.rescore import MAX_PAUSE_S, due_at_us
from streams.events import BadRecord, rfc3339
from streams.rescoring import RescoreItem, decode

EVENT = json.dumps({"message_id": "m", "transaction_id": "t", "writer": "seller", "text": "x"}).encode()
OURS: dict[str, Any] = {
    "format": 1,
    "kind": "message",
    "topic": "messages",
    "partition": 0,
    "offset": 7,
    "timestamp_us": 1_700_000_000_000_000,
    "key": base64.b64encode(b"t").decode(),
    "value": base64.b64encode(EVENT).decode(),
    "headers": [["h", base64.b64encode(b"1").decode()]],
    "turns": [[7, "m", 1_700_000_000_000_000, "seller", "x"]],
    "revision": 0,
    "alerted": [],
    "put_aside_at_us": 1_700_000_000_000_000,
    "attempts": 1,
}


@dataclass
class Record:
    """What aiokafka hands over."""

    value: bytes | None
    timestamp: int | None = 1_700_000_000_000
    key: bytes | None = None
    topic: str = "rescore"
    partition: int = 0
    offset: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def test_ours_is_read() -> None:
    source = decode(json.dumps(OURS).encode()).source
    assert (source.key, source.value, source.headers) == (b"t", EVENT, (("h", b"1"),))


@pytest.mark.parametrize(
    "change",
    [
        {"value": "abc"},
        {"value": "あ"},
        {"key": "a"},
        {"headers": [["h", "a"]]},
        {"attempts": -1},
        {"attempts": 10**12},
        {"timestamp_us": 2**62},
        {"timestamp_us": -1},
        {"offset": 2**70},
        {"partition": -1},
        {"revision": 2**80},
        {"put_aside_at_us": 10**40},
        {"turns": [[7, "m", 1, "somebody", "x"]]},
    ],
    ids=str,
)
def test_what_the_engine_cannot_work_with_is_a_bad_record(change: dict[str, Any]) -> None:
    value = json.dumps({**OURS, **change}).encode()
    with pytest.raises(BadRecord, match="bad_rescore"):
        decode(value)
    assert due_at_us(Record(value)) == 0, "a dead letter at once"


@pytest.mark.parametrize("field", ["value", "turns", "unknown"])
def test_what_is_nested_too_deeply_is_a_bad_record(field: str) -> None:
    """The decoder follows brackets even where it skips what they hold, and gives up with a RecursionError."""
    value = json.dumps({**OURS, field: "HERE"}).encode().replace(b'"HERE"', b"[" * 5_000 + b"]" * 5_000)
    with pytest.raises(BadRecord, match="bad_rescore"):
        decode(value)
    assert due_at_us(Record(value)) == 0, "a dead letter at once"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(st.integers(), st.text(max_size=5), st.none(), st.just([])) for name in OURS
        },
    )
)
def test_any_field_of_any_kind_is_read_or_refused_and_never_raises_otherwise(change: dict[str, Any]) -> None:
    value = json.dumps({**OURS, **change}).encode()
    due_at_us(Record(value))
    try:
        item = decode(value)
    except BadRecord:
        return
    assert isinstance(item, RescoreItem)
    assert item.source.position.offset >= 0
    rfc3339(item.timestamp_us)


@pytest.mark.parametrize("timestamp", [2**62, 253_402_300_799_000, None, -1])
def test_no_record_holds_up_those_behind_it_for_longer_than_the_longest_pause(timestamp: int | None) -> None:
    record = Record(json.dumps({**OURS, "attempts": 1_000_000}).encode(), timestamp=timestamp)
    assert due_at_us(record) <= (time.time() + MAX_PAUSE_S) * 1e6


@pytest.mark.parametrize("timestamp", [2**62, -(2**62), -1, None])
def test_a_timestamp_that_no_calendar_has_can_be_written_down(timestamp: int | None) -> None:
    assert rfc3339(source_of(Record(b"", timestamp=timestamp)).timestamp_us)


async def test_an_agent_is_not_stopped_by_it() -> None:
    """The waiting before a delivery reads the record too."""
    from streams.agents.lane import Delivery
    from streams.agents.rescore import wait_until_due

    class Answers:
        async def wait_available(self) -> None:
            return

    delivery = Delivery("rescore", 0, 0, 1, 1)
    poison = Record(json.dumps({**OURS, "attempts": 10**12}).encode())
    async with asyncio.timeout(2):
        assert await wait_until_due(delivery, [poison], scorer=Answers(), is_current=lambda _: True)  # type: ignore[arg-type]
