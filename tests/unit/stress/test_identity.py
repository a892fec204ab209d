from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stress.identity import PREFIX, event_id, new_run, number_of

RUN = new_run(datetime(2026, 11, 21, 18, tzinfo=UTC), b"\x3f\x9a\x1c")


def test_a_run_is_named_by_its_time() -> None:
    assert RUN == "stress-20261121T180000Z-3f9a1c"
    assert RUN.startswith(PREFIX)


@given(st.integers(0, 10**9))
def test_an_id_gives_its_number_back(number: int) -> None:
    assert number_of(RUN, event_id(RUN, number)) == number


@pytest.mark.parametrize(
    "identifier",
    ["", "m1", RUN, f"{RUN}-", f"{RUN}-t7", f"{RUN}--1", f"{RUN}-²", "stress-20261121T180000Z-000000-7"],
)
def test_ids_of_others_have_no_number(identifier: str) -> None:
    assert number_of(RUN, identifier) is None
