"""Windows of a conversation as a worker would have judged and counted them, without Kafka and Triton."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.end_to_end.onnx_models import OnnxModels
from streams.drift.book import PER_LOGIT, Compared, InputSeries, ScoreSeries, Series
from streams.drift.words import WordCounts, unknown_of
from streams.features.tensors import WRITER_CODES, WindowFeatures, status_code
from streams.features.tokens import PreparedText, TextPipeline
from streams.inference.contracts import ModelVersion
from streams.inference.vocabulary import vocabulary_of
from streams.statistics.bins import BINS_PER_LOGIT, bin_of
from streams.statistics.inputs import FACTS, input_facts

#: Windows scored together.
_BATCH = 512


@dataclass(frozen=True, slots=True)
class Judged:
    """Messages in order: the bin of each in every series, int [N], and the words of each with those unknown to a model."""

    bins: Mapping[Series, npt.NDArray[np.int64]]
    conversations: npt.NDArray[np.int64]
    words: Sequence[Sequence[str]]
    unknown: Mapping[ModelVersion, Sequence[npt.NDArray[np.bool_]]]

    def __len__(self) -> int:
        return len(self.conversations)


class Judge:
    """Masks, tokenises, scores and counts as the worker does; one thread."""

    def __init__(self, repository: Path, domains: Mapping[str, ModelVersion]) -> None:
        self._domains = domains
        self._text = TextPipeline()
        self._models = OnnxModels(repository, list(domains.values()))
        self._vocabularies = {
            model: vocabulary_of((repository / model.model / str(model.version) / "model.onnx").read_bytes())
            for model in domains.values()
        }

    def judge(self, windows: Iterable[Mapping[str, Any]]) -> Judged:
        """`windows` as `marketplace.examples.windows` and the data sets have them."""
        rows: list[WindowFeatures] = []
        bins: dict[Series, list[int]] = {}
        conversations: list[int] = []
        numbers: dict[str, int] = {}
        words: list[Sequence[str]] = []
        tokens: list[npt.NDArray[np.int64]] = []
        prepared: dict[str, PreparedText] = {}
        for window in windows:
            turns = window["messages"][-5:]
            for turn in turns:
                if turn["text"] not in prepared:
                    prepared[turn["text"]] = self._text.prepare(turn["text"])
            texts = [prepared[turn["text"]] for turn in turns]
            status = window.get("status")
            rows.append(
                WindowFeatures(
                    tuple(text.tokens for text in texts),
                    tuple(WRITER_CODES[turn["writer"]] for turn in turns),
                    status_code(status),
                )
            )
            shown = {
                "status": status,
                "messages": [
                    {"writer": turn["writer"], "text": text.masked}
                    for turn, text in zip(turns, texts, strict=True)
                ],
            }
            for fact, name in input_facts(shown, ()).items():
                bins.setdefault(InputSeries("message", fact), []).append(FACTS["message"][fact].index(name))
            conversations.append(numbers.setdefault(window["transaction_id"], len(numbers)))
            # As `sekisho drift --words` does: predictions hold the masked text.
            masked = texts[-1].masked
            words.append(self._text.words(masked))
            tokens.append(self._text.prepare(masked).tokens)
        for start in range(0, len(rows), _BATCH):
            for scores in self._models.score(rows[start : start + _BATCH]):
                for domain, model in self._domains.items():
                    place = bin_of(scores[model]) // (BINS_PER_LOGIT // PER_LOGIT)
                    bins.setdefault(ScoreSeries(domain, model.model, model.version), []).append(place)
        return Judged(
            {series: np.array(places, np.int64) for series, places in bins.items()},
            np.array(conversations, np.int64),
            words,
            {
                model: [unknown_of(each, vocabulary) for each in tokens]
                for model, vocabulary in self._vocabularies.items()
                if vocabulary is not None
            },
        )


def compared(
    reference: Judged,
    parts: Sequence[npt.NDArray[np.int64]],
    current: Sequence[tuple[Judged, npt.NDArray[np.int64]]],
) -> dict[Series, Compared]:
    """Counts of every series: parts of the reference (row numbers, the newest first) against rows of these."""
    found = {}
    for series, places in reference.bins.items():
        of_parts = tuple(_counts(places[rows]) for rows in parts)
        whole = _counts(np.concatenate([places[rows] for rows in parts]))
        now = np.concatenate([judged.bins[series][rows] for judged, rows in current])
        found[series] = Compared(_counts(now), of_parts, whole)
    return found


def word_counts(model: ModelVersion, taken: Sequence[tuple[Judged, npt.NDArray[np.int64]]]) -> WordCounts:
    """The words of these rows, and those that the model does not know."""
    counts = WordCounts()
    for judged, rows in taken:
        for row in rows.tolist():
            counts.add(judged.words[row], judged.unknown[model][row])
    return counts


def _counts(places: npt.NDArray[np.int64]) -> dict[int, float]:
    values, counts = np.unique(places, return_counts=True)
    return dict(zip(values.tolist(), counts.astype(float).tolist(), strict=True))
