"""An event of the last second of 9999 with a record timestamp of that time raised when its time was written down."""

from __future__ import annotations

import json

import pytest

from streams.events import LATEST_US, decode_message, rfc3339


@pytest.mark.parametrize(
    "sent_at",
    [
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.9Z",
    ],
)
def test_whatever_time_counts_can_be_written_down(sent_at: str) -> None:
    event = {"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": "x", "sent_at": sent_at}
    decoded = decode_message(json.dumps(event).encode(), key=b"t", timestamp_us=LATEST_US)
    assert rfc3339(decoded.at_us) == "9999-12-31T23:59:59.000Z"
