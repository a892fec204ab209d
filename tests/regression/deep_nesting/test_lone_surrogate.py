r"""A record with half a surrogate pair *and* 500 brackets in one another ended in a RecursionError, which is no `BadRecord`."""

from __future__ import annotations

import pytest

from streams.events import BadRecord, decode_message

GOOD = b'{"message_id":"m","transaction_id":"t","writer":"buyer","text":"\\ud800"'


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", [400, 600, 900, 980, 5_000])
def test_depth_is_refused_or_read_and_never_raises_otherwise(opening: bytes, depth: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    nested = opening * depth + b"1" + closing * depth
    try:
        decoded = decode_message(GOOD + b',"x":' + nested + b"}", key=b"t", timestamp_us=0)
    except BadRecord as refusal:
        assert refusal.reason == "not_json"
    else:
        assert decoded.notes == ("lone_surrogate",)
        assert depth < 600


@pytest.mark.parametrize("number", [b"1e999", b"-1e999"])
def test_infinity_is_refused_with_and_without_a_surrogate(number: bytes) -> None:
    """The second try took 1e999 for infinity, the first one refuses it."""
    for text in (b'"x"', b'"\\ud800"'):
        with pytest.raises(BadRecord, match="not_json"):
            decode_message(
                GOOD.replace(b'"\\ud800"', text) + b',"x":' + number + b"}", key=b"t", timestamp_us=0
            )
