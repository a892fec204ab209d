from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import Position
from streams.kafka.dead_letters import (
    MAX_DETAIL_CHARACTERS,
    DeadLetter,
    NotADeadLetterError,
    fit,
    headers_of,
    parse,
)

LETTER = DeadLetter(
    "not_json", "expected value", "prod.messages", 3, 17, 1_795_000_000_123_000, b"t1", b"{", ()
)

#: Names as Kafka allows them; Sekisho's own may come from a producer too, they give way.
header_names = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["sekisho.reason", "sekisho.at", "sekisho.format"]
)
letters = st.builds(
    DeadLetter,
    reason=st.text(min_size=1, max_size=20),
    detail=st.text(max_size=MAX_DETAIL_CHARACTERS),
    topic=st.text(min_size=1, max_size=40),
    partition=st.integers(0, 10_000),
    offset=st.integers(0, 2**63 - 1),
    # whole milliseconds until the year 2100
    at_us=st.integers(0, 4_102_444_800_000).map(lambda at_ms: at_ms * 1000),
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(st.tuples(header_names, st.binary(max_size=20)), max_size=4).map(tuple),
    truncated_from=st.none() | st.integers(1, 10**9),
)


@given(letters)
def test_what_is_written_is_read_back(letter: DeadLetter) -> None:
    own = {"sekisho.reason", "sekisho.at"}
    kept = tuple((name, value) for name, value in letter.headers if name not in own)

    read = parse(letter.key, letter.value, headers_of(letter))

    assert read == DeadLetter(**{**_fields(letter), "headers": kept})  # type: ignore[arg-type]


@given(letters, st.integers(0, 250))
def test_a_cut_value_says_how_large_it_was(letter: DeadLetter, limit: int) -> None:
    cut = fit(letter, limit)

    if letter.value is None or len(letter.value) <= limit:
        assert cut is letter
    else:
        assert cut.value == letter.value[:limit]
        assert cut.truncated_from == (letter.truncated_from or len(letter.value))
    assert fit(cut, limit) == cut


def test_the_headers_of_the_contract() -> None:
    letter = DeadLetter(**{**_fields(LETTER), "headers": (("trace", b"1"),), "truncated_from": 9})  # type: ignore[arg-type]

    assert headers_of(letter) == [
        ("trace", b"1"),
        ("sekisho.reason", b"not_json"),
        ("sekisho.detail", b"expected value"),
        ("sekisho.topic", b"prod.messages"),
        ("sekisho.partition", b"3"),
        ("sekisho.offset", b"17"),
        ("sekisho.at", b"2026-11-18T11:06:40.123Z"),
        ("sekisho.truncated", b"9"),
    ]
    assert letter.position == Position("prod.messages", 3, 17)


def test_a_long_detail_is_cut() -> None:
    letter = DeadLetter(**{**_fields(LETTER), "detail": "字" * 5_000})  # type: ignore[arg-type]

    assert dict(headers_of(letter))["sekisho.detail"].decode() == "字" * MAX_DETAIL_CHARACTERS


@pytest.mark.parametrize("missing", ["sekisho.reason", "sekisho.topic", "sekisho.partition", "sekisho.at"])
def test_a_record_without_the_headers_is_no_dead_letter(missing: str) -> None:
    headers = [(name, value) for name, value in headers_of(LETTER) if name != missing]

    with pytest.raises(NotADeadLetterError, match=f"no header {missing}"):
        parse(b"k", b"v", headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [("sekisho.offset", b"many"), ("sekisho.at", b"yesterday"), ("sekisho.reason", b"\xff")],
)
def test_an_unreadable_header_is_no_dead_letter(name: str, value: bytes) -> None:
    headers = [(n, value if n == name else v) for n, v in headers_of(LETTER)]

    with pytest.raises(NotADeadLetterError, match="cannot be read"):
        parse(b"k", b"v", headers)


def _fields(letter: DeadLetter) -> dict[str, object]:
    return {name: getattr(letter, name) for name in letter.__slots__}
