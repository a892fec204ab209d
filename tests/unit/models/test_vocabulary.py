"""Rows of token hashes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.vocabulary import Vocabulary, build_vocabulary, inverse_document_frequency

HASHES = st.integers(1, 2**63 - 1)


@given(st.lists(HASHES, unique=True, max_size=30), st.lists(HASHES, max_size=10))
def test_rows_tell_words_unknown_and_padding_apart(words: list[int], others: list[int]) -> None:
    vocabulary = Vocabulary(np.array(sorted(words), np.int64))
    asked = np.array([0, *words, *others], np.int64)
    rows = vocabulary.rows(asked)
    assert rows[0] == 0
    assert sorted(rows[1 : len(words) + 1]) == list(range(2, len(words) + 2))
    for token, row in zip(others, rows[len(words) + 1 :], strict=True):
        assert (row >= 2) == (token in words)
        assert row != 0


def test_frequent_words_are_kept_and_padding_is_no_word() -> None:
    texts = [np.array([5, 5, 9, 0], np.int64), np.array([9, 7, 3], np.int64)]
    assert build_vocabulary(texts).hashes.tolist() == [5, 9]
    assert build_vocabulary(texts, min_count=1, largest=3).hashes.tolist() == [3, 5, 9]


@pytest.mark.parametrize("hashes", [[3, 2], [2, 2], [0, 1]])
def test_disordered_hashes_are_refused(hashes: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Vocabulary(np.array(hashes, np.int64))


def test_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="int64"):
        Vocabulary(np.array([1.0]))


def test_idf_by_hand() -> None:
    vocabulary = Vocabulary(np.array([5, 9], np.int64))
    texts = [np.array([5, 5], np.int64), np.array([5, 9, 77], np.int64)]
    idf = inverse_document_frequency(texts, vocabulary)
    assert idf.dtype == np.float32
    assert idf.tolist() == pytest.approx([0, 0, 1.0, np.log(3 / 2) + 1])
