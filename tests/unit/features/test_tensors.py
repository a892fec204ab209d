from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import STATUSES
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import (
    IMAGE_WIDTH,
    LISTING_BUCKETS,
    MESSAGE_BUCKETS,
    WINDOW,
    ListingFeatures,
    WindowFeatures,
    listing_batch,
    message_batch,
    status_code,
)

turns = st.lists(st.integers(1, 2**63 - 1), max_size=100).map(lambda tokens: np.array(tokens, np.int64))
windows = st.lists(st.tuples(turns, st.sampled_from([1, 2])), min_size=1, max_size=WINDOW).flatmap(
    lambda pairs: st.builds(
        WindowFeatures,
        tokens=st.just(tuple(tokens for tokens, _ in pairs)),
        writers=st.just(tuple(writer for _, writer in pairs)),
        status=st.integers(0, len(STATUSES)),
    )
)


@given(st.lists(windows, min_size=1, max_size=6), st.sampled_from(MESSAGE_BUCKETS))
def test_a_batch_holds_every_turn_at_its_place_and_nothing_else(
    rows: list[WindowFeatures], bucket: int
) -> None:
    batch = message_batch(rows, bucket)
    assert batch["tokens"].shape == (len(rows), WINDOW, bucket)
    assert batch["writer"].shape == (len(rows), WINDOW)
    assert batch["status"].tolist() == [[row.status] for row in rows]
    assert {array.dtype for array in batch.values()} == {np.dtype(np.int64)}
    for index, row in enumerate(rows):
        absent = WINDOW - len(row.tokens)
        expected = [[0] * bucket] * absent + [(turn.tolist() + [0] * bucket)[:bucket] for turn in row.tokens]
        assert batch["tokens"][index].tolist() == expected
        assert batch["writer"][index].tolist() == [0] * absent + list(row.writers)


def test_a_batch_of_no_rows_is_empty() -> None:
    assert {name: array.shape for name, array in message_batch([], 16).items()} == {
        "tokens": (0, 5, 16), "writer": (0, 5), "status": (0, 1),
    }  # fmt: skip


@given(windows)
def test_the_bucket_is_the_smallest_that_loses_nothing(row: WindowFeatures) -> None:
    longest = max(len(turn) for turn in row.tokens)
    assert row.bucket in MESSAGE_BUCKETS
    assert row.bucket >= min(longest, MESSAGE_BUCKETS[-1])
    assert all(smaller < longest for smaller in MESSAGE_BUCKETS if smaller < row.bucket)


@pytest.mark.parametrize(("turns", "writers"), [(0, 0), (6, 6), (2, 1)])
def test_a_window_of_no_or_too_many_turns_is_refused(turns: int, writers: int) -> None:
    with pytest.raises(ValueError, match="a window holds 1 to 5 turns"):
        WindowFeatures(tokens=(np.zeros(1, np.int64),) * turns, writers=(1,) * writers, status=0)


def listing(length: int, image: bool) -> ListingFeatures:
    return ListingFeatures(
        tokens=np.arange(1, length + 1, dtype=np.int64),
        aux=np.arange(len(AUX_NAMES), dtype=np.float32),
        image=np.full(IMAGE_WIDTH, 0.5, np.float32) if image else None,
    )


@pytest.mark.parametrize(("length", "bucket"), [(0, 32), (32, 32), (33, 64), (64, 64), (65, 128), (500, 128)])
def test_listing_buckets(length: int, bucket: int) -> None:
    assert listing(length, image=False).bucket == bucket
    assert bucket in LISTING_BUCKETS


def test_a_listing_batch() -> None:
    batch = listing_batch([listing(3, image=True), listing(200, image=False)], 32)
    assert batch["tokens"].tolist() == [[1, 2, 3] + [0] * 29, list(range(1, 33))]
    assert batch["has_image"].tolist() == [[1.0], [0.0]]
    assert (batch["image"][0] == 0.5).all()
    assert (batch["image"][1] == 0).all()
    assert batch["aux"].tolist() == [list(range(len(AUX_NAMES)))] * 2
    assert {name: array.dtype for name, array in batch.items()} == {
        "tokens": np.int64, "image": np.float32, "has_image": np.float32, "aux": np.float32,
    }  # fmt: skip


def test_a_listing_of_wrong_widths_is_refused() -> None:
    tokens = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match=r"aux has shape \(3,\)"):
        ListingFeatures(tokens=tokens, aux=np.zeros(3, np.float32), image=None)
    with pytest.raises(ValueError, match=r"image has shape \(10,\)"):
        ListingFeatures(
            tokens=tokens, aux=np.zeros(len(AUX_NAMES), np.float32), image=np.zeros(10, np.float32)
        )


def test_status_codes() -> None:
    assert [status_code(status) for status in STATUSES] == list(range(1, len(STATUSES) + 1))
    assert status_code(None) == status_code("on_hold") == 0
