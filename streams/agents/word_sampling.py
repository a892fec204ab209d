"""Unknown words over samples of `predictions`: texts out of Kafka, vocabularies out of model files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from streams.backtest.history import Skipped
from streams.backtest.predicted import predicted_of
from streams.drift.periods import Periods
from streams.drift.words import WordCounts, WordDrift, unknown_of
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion
from streams.inference.vocabulary import NotAModelError, vocabulary_of
from streams.kafka.clients import consumer
from streams.kafka.reading import assign_all, present_ends, starts_since
from streams.kafka.sampling import sampled
from streams.policy import Policy
from streams.published import Shown
from streams.settings import Settings
from streams.vocabulary import KINDS, Kind

#: Predictions read of each period. At 0.1–0.5 ms to cut a text into words this is some seconds, and a share of unknown
#: words of 5 % is known to 0.3 points.
SAMPLE: Final = 5_000

#: Hashes of the words that each model knows, ascending.
Vocabularies = Mapping[ModelVersion, npt.NDArray[np.int64]]


class NoVocabularyError(LookupError):
    """A model's file cannot be read; the text says which and why."""


def vocabularies(repository: Path, policy: Policy, *, domain: str | None = None) -> dict[Kind, Vocabularies]:
    """The words that the models of a policy know, or of one domain, by kind of event. Raises `NoVocabularyError`.

    Models that read no hashes of words are left out.
    """
    return {
        kind: {
            version: words
            for one in policy.for_kind(kind)
            for reference in (one.champion, one.challenger)
            if reference is not None and domain in (None, one.name)
            for version in (ModelVersion(reference.model, reference.version),)
            if (words := _words_of(repository, version)) is not None
        }
        for kind in KINDS
    }


async def word_drift(
    settings: Settings,
    periods: Periods,
    known: Mapping[Kind, Vocabularies],
    *,
    text: TextPipeline,
    share: float = 1.0,
    stop: asyncio.Event | None = None,
) -> tuple[WordDrift, ...]:
    """Sample both periods of `predictions` and count what each model does not know; nothing once `stop` is set.

    Takes no more than `share` of the event loop's time. Raises `BrokerUnreachableError` and aiokafka's `KafkaError`.
    """
    loop = asyncio.get_running_loop()
    counts: list[dict[ModelVersion, WordCounts]] = []
    async with consumer(settings) as client:
        ends = await present_ends(client, await assign_all(client, [settings.topic("predictions")]))
        current = await starts_since(client, ends, periods.span_us(current=True)[0])
        reference = await starts_since(client, ends, periods.span_us(current=False)[0])
        for starts, until in ((reference, current), (current, ends)):
            of_period = {version: WordCounts() for versions in known.values() for version in versions}
            async for record in sampled(client, starts, until, SAMPLE):
                began_s = loop.time()
                count_words(record.value, text, known, of_period)
                if stop is not None and stop.is_set():
                    return ()
                if share < 1.0:
                    await asyncio.sleep((loop.time() - began_s) * (1 / share - 1))
            counts.append(of_period)
    before, now = counts
    return tuple(WordDrift(version, before[version], now[version]) for version in before)


def count_words(
    value: bytes | None,
    text: TextPipeline,
    known: Mapping[Kind, Vocabularies],
    counts: Mapping[ModelVersion, WordCounts],
) -> None:
    """Count the judged text of one prediction for every model of its kind; stress runs and what is none are left out."""
    past = predicted_of(value)
    if isinstance(past, Skipped):
        return
    judged = _judged(past.shown)
    words, tokens = text.words(judged), text.prepare(judged).tokens
    for version, vocabulary in known[past.subject.kind].items():
        counts[version].add(words, unknown_of(tokens, vocabulary))


def _words_of(repository: Path, version: ModelVersion) -> npt.NDArray[np.int64] | None:
    path = repository / version.model / str(version.version) / "model.onnx"
    try:
        return vocabulary_of(path.read_bytes())
    except OSError as error:
        raise NoVocabularyError(
            f"{path}: {error.strerror}. SEKISHO_MODEL_REPOSITORY must name the directory that Triton serves"
        ) from error
    except NotAModelError as error:
        raise NoVocabularyError(f"{path} is no ONNX model: {error}") from error


def _judged(shown: Shown) -> str:
    if not isinstance(shown.listing, msgspec.UnsetType):
        return f"{shown.listing.title}\n{shown.listing.description}"
    return shown.messages[-1].text if shown.messages else ""
