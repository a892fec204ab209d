"""The threshold that a run picks is one that people can write down, and keeps what it promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.metrics import at_threshold
from models.runs.quality import picked_threshold

pytestmark = pytest.mark.train


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 400)), min_size=1, max_size=60).filter(
        lambda rows: any(positive for positive, _ in rows)
    ),
    st.sampled_from([0.5, 0.9, 1.0]),
)
def test_a_picked_threshold_has_four_digits_and_the_precision_wanted(
    rows: list[tuple[bool, int]], wanted: float
) -> None:
    truth = np.array([float(positive) for positive, _ in rows], np.float32)
    # Steps of a fortieth of the last digit, up to 1: many scores within one digit, as flat and sure models give.
    scores = 1 - np.array([step for _, step in rows]) / 400_000
    found = picked_threshold(truth, scores, wanted)
    tried = [digits / 10_000 for digits in range(9_985, 10_001)]
    keeping = [t for t in tried if (at_threshold(truth, scores, t).precision or 0) >= wanted]
    if found is None:
        assert not keeping
        return
    kept = at_threshold(truth, scores, found)
    assert f"{found:.4f}".rstrip("0") == f"{found!r}".rstrip("0")
    assert kept.alerts > 0
    assert (kept.precision or 0) >= wanted
    assert kept.recall == pytest.approx(max(at_threshold(truth, scores, t).recall for t in keeping))


def test_a_flat_model_is_not_rounded_beyond_its_scores() -> None:
    truth = np.array([1, 1, 0, 0], np.float32)
    scores = np.array([0.458342, 0.458341, 0.4581, 0.4581])
    assert picked_threshold(truth, scores, 0.9) == 0.4583
