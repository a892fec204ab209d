"""A model's own words: which token hash has which row of the embedding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.networks.sentences import PAD, UNKNOWN

#: Rows 0 and 1 are padding and unknown.
FIRST_WORD = 2


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Token hashes, ascending; the word at index i has row i + 2."""

    hashes: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.hashes.dtype != np.int64 or self.hashes.ndim != 1:
            raise ValueError(f"hashes must be int64 [V], not {self.hashes.dtype} {list(self.hashes.shape)}")
        if len(self.hashes) and (self.hashes[0] <= 0 or (np.diff(self.hashes) <= 0).any()):
            raise ValueError("hashes must be positive (0 is padding), ascending and without duplicates")

    @property
    def size(self) -> int:
        """Rows of the embedding, padding and unknown included."""
        return len(self.hashes) + FIRST_WORD

    def rows(self, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of an int64 array of hashes of any shape: 0 stays 0, what is not in the vocabulary becomes 1."""
        if not len(self.hashes):
            return np.where(tokens == 0, PAD, UNKNOWN)
        at = np.searchsorted(self.hashes, tokens).clip(max=len(self.hashes) - 1)
        rows = np.where(self.hashes[at] == tokens, at + FIRST_WORD, UNKNOWN)
        return np.where(tokens == 0, PAD, rows)


def build_vocabulary(
    texts: Iterable[npt.NDArray[np.int64]], *, min_count: int = 2, largest: int = 30_000
) -> Vocabulary:
    """The `largest` most frequent tokens that occur at least `min_count` times; ties go to the smaller hash."""
    counts: Counter[int] = Counter()
    for text in texts:
        counts.update(text.tolist())
    counts.pop(0, None)
    frequent = [(-count, token) for token, count in counts.items() if count >= min_count]
    chosen = [token for _, token in sorted(frequent)[:largest]]
    return Vocabulary(np.array(sorted(chosen), np.int64))


def inverse_document_frequency(
    texts: Iterable[npt.NDArray[np.int64]], vocabulary: Vocabulary
) -> npt.NDArray[np.float32]:
    """Smoothed idf ln((1+n)/(1+df))+1 by row, float32 [size]; 0 for padding and unknown words."""
    in_texts = np.zeros(vocabulary.size)
    count = 0
    for text in texts:
        count += 1
        in_texts[np.unique(vocabulary.rows(text))] += 1
    idf = np.log((1 + count) / (1 + in_texts)) + 1
    idf[[PAD, UNKNOWN]] = 0
    weights: npt.NDArray[np.float32] = idf.astype(np.float32)
    return weights
