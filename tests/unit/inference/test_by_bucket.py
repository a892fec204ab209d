from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.inference.scorer import by_bucket


@given(st.lists(st.sampled_from([16, 32, 64]), max_size=200), st.integers(1, 70))
def test_every_row_goes_once_with_rows_of_its_bucket(buckets: list[int], most_rows: int):
    groups = by_bucket(buckets, most_rows)
    assert sorted(index for _, rows in groups for index in rows) == list(range(len(buckets)))
    for bucket, rows in groups:
        assert 1 <= len(rows) <= most_rows
        assert all(buckets[index] == bucket for index in rows)
        assert rows == sorted(rows)


@given(st.lists(st.sampled_from([16, 32, 64]), max_size=200), st.integers(1, 70))
def test_no_more_requests_than_needed(buckets: list[int], most_rows: int):
    needed = sum(-(-buckets.count(bucket) // most_rows) for bucket in set(buckets))
    assert len(by_bucket(buckets, most_rows)) == needed
