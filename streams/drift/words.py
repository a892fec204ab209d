"""How many of the words that arrive a model does not know, counted over sampled texts (pure).

Every model carries its vocabulary, the words of its training data. This measure therefore compares the traffic with
what the model was trained on, and sees what changed too slowly for a reference of four weeks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from streams.drift.levels import LEAST_EVENTS, UNKNOWN_WORDS, Level, Measured
from streams.drift.measures import Distance
from streams.inference.contracts import ModelVersion

#: One-sided normal deviate of the chance `measures.CHANCE`.
_DEVIATE: Final = 3.719016
#: Words shown of those that became frequent.
_SHOWN: Final = 10
#: A word is shown from so many texts on: rarer ones are misspellings and names.
_LEAST_TEXTS: Final = 5


@dataclass(slots=True)
class WordCounts:
    """Words of texts, and those among them that a model does not know; sums of squares say how sure the share is."""

    texts: int = 0
    words: int = 0
    unknown: int = 0
    words_squared: int = 0
    unknown_squared: int = 0
    product: int = 0
    #: In how many texts each unknown word stood.
    found: Counter[str] = field(default_factory=Counter)

    def add(self, surfaces: Sequence[str], unknown: npt.NDArray[np.bool_]) -> None:
        """Count one text: its words, and which of them are unknown [words]."""
        u, w = int(unknown.sum()), len(surfaces)
        self.texts += 1
        self.words += w
        self.unknown += u
        self.words_squared += w * w
        self.unknown_squared += u * u
        self.product += u * w
        if u:
            self.found.update({surface for surface, new in zip(surfaces, unknown, strict=True) if new})

    @property
    def share(self) -> float | None:
        """Unknown words of all; None without words."""
        return self.unknown / self.words if self.words else None

    @property
    def variance(self) -> float:
        """Of the share, texts being drawn and not words: that of a ratio estimate (Cochran 1977, 6.4)."""
        r = self.share
        if r is None:
            return 0.0
        residual = self.unknown_squared - 2 * r * self.product + r * r * self.words_squared
        return max(0.0, residual) / self.words**2


@dataclass(frozen=True, slots=True)
class WordDrift:
    """The share of unknown words then and now, for one model version."""

    model: ModelVersion
    reference: WordCounts
    current: WordCounts

    @property
    def level(self) -> Level:
        """More unknown words than before; fewer are no drift."""
        before, now = self.reference.share, self.current.share
        if min(self.reference.texts, self.current.texts) < LEAST_EVENTS or before is None or now is None:
            return Level.TOO_FEW
        rise = Distance(
            max(0.0, now - before),
            _DEVIATE * math.sqrt(self.reference.variance + self.current.variance),
        )
        return Measured(rise, UNKNOWN_WORDS).level

    @property
    def new_words(self) -> tuple[str, ...]:
        """Unknown words that became frequent: those whose share of the texts rose most."""
        if not (self.reference.texts and self.current.texts):
            return ()
        risen = {
            word: count / self.current.texts - self.reference.found[word] / self.reference.texts
            for word, count in self.current.found.items()
            if count >= _LEAST_TEXTS
        }
        ranked = sorted(risen, key=lambda word: (-risen[word], word))
        return tuple(word for word in ranked if risen[word] > 0)[:_SHOWN]


def unknown_of(tokens: npt.NDArray[np.int64], vocabulary: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which hashes [words] are not among those of a vocabulary, ascending."""
    if not len(vocabulary):
        return np.ones(len(tokens), np.bool_)
    at = np.searchsorted(vocabulary, tokens).clip(max=len(vocabulary) - 1)
    unknown: npt.NDArray[np.bool_] = vocabulary[at] != tokens
    return unknown
