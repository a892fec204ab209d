r"""A record with half a surrogate pair *and* 500 brackets in one another ended in a RecursionError, which is no `BadRecord`."""

from __future__ import annotations

import pytest

from streams.events import BadRecord, decode_message

GOOD = b'{"message_id":"m","transaction_id":"t","writer":"buyer","text":"\\ud800"'


def reason_of(value: bytes) -> str | None:
    """Why the record cannot be used; where Python's limit of recursion lies depends on its version."""
    try:
        decode_message(value, key=b"t", timestamp_us=0)
    except BadRecord as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", [100, 600, 900, 980, 5_000])
def test_depth_is_read_or_refused(opening: bytes, depth: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    nested = opening * depth + b"1" + closing * depth
    value = GOOD + b',"x":' + nested + b"}"
    assert reason_of(value) in (
        (None,) if depth == 100 else ("not_json",) if depth == 5_000 else (None, "not_json")
    )


@pytest.mark.parametrize("number", [b"1e999", b"-1e999"])
def test_infinity_is_refused_with_and_without_a_surrogate(number: bytes) -> None:
    """The second try took 1e999 for infinity, the first one refuses it."""
    for text in (b'"x"', b'"\\ud800"'):
        with pytest.raises(BadRecord, match="not_json"):
            decode_message(
                GOOD.replace(b'"\\ud800"', text) + b',"x":' + number + b"}", key=b"t", timestamp_us=0
            )
