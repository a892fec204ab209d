from __future__ import annotations

import numpy as np
import pytest

from streams.drift.levels import Level
from streams.drift.words import WordCounts, WordDrift, unknown_of
from streams.inference.contracts import ModelVersion

MODEL = ModelVersion("message_harassment", 1)


def counts(texts: int, unknown: float, *, seed: int = 1, words: int = 12) -> WordCounts:
    order = np.random.default_rng(seed)
    found = WordCounts()
    for _ in range(texts):
        new = order.random(words) < unknown
        found.add([f"new{order.integers(500)}" if is_new else "known" for is_new in new], new)
    return found


@pytest.mark.parametrize(
    ("reference", "current", "level"),
    [
        (counts(1_000, 0.05), counts(1_000, 0.05, seed=2), Level.STEADY),
        (counts(1_000, 0.05), counts(1_000, 0.13, seed=2), Level.WATCH),
        (counts(1_000, 0.05), counts(1_000, 0.25, seed=2), Level.DRIFTED),
        (counts(1_000, 0.25), counts(1_000, 0.05, seed=2), Level.STEADY),
        (counts(1_000, 0.05), counts(999, 0.9), Level.TOO_FEW),
        (counts(1_000, 0.05), WordCounts(), Level.TOO_FEW),
        (counts(1_000, 0.0, words=0), counts(1_000, 0.9), Level.TOO_FEW),
    ],
)
def test_more_unknown_words_than_before(reference: WordCounts, current: WordCounts, level: Level) -> None:
    assert WordDrift(MODEL, reference, current).level == level


def test_the_deviation_is_that_of_texts_and_not_of_words() -> None:
    """Half of the texts are all unknown: as sure as 100 coins, however many words they hold."""
    found = WordCounts()
    for number in range(100):
        found.add(["w"] * 40, np.full(40, number % 2 == 0))
    assert found.share == 0.5
    assert found.variance == pytest.approx(0.25 / 100)


def test_the_words_that_became_frequent() -> None:
    reference, current = WordCounts(), WordCounts()
    for number in range(200):
        reference.add(["old", "x"], np.array([True, False]))
        current.add(["old", "モノペイ" if number < 50 else "x"], np.array([True, number < 50]))
    current.add(["rare"] * 9, np.ones(9, np.bool_))
    assert WordDrift(MODEL, reference, current).new_words == ("モノペイ",)
    assert WordDrift(MODEL, WordCounts(), current).new_words == ()


def test_a_share_of_no_words_is_not_zero() -> None:
    assert WordCounts().share is None
    assert WordCounts().variance == 0.0
    assert counts(3, 0.0).share == 0.0


def test_which_words_are_unknown() -> None:
    vocabulary = np.array([3, 7, 9], np.int64)
    tokens = np.array([9, 1, 3, 8, 2**62], np.int64)
    assert unknown_of(tokens, vocabulary).tolist() == [False, True, False, True, True]
    assert unknown_of(tokens, np.array([], np.int64)).all()
    assert not len(unknown_of(np.array([], np.int64), vocabulary))
