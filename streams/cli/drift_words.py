"""The part of `sekisho drift` that looks at words: texts out of `predictions`, vocabularies out of model files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click
import msgspec

from streams.backtest.history import Skipped
from streams.backtest.predicted import predicted_of
from streams.drift.words import WordCounts, WordDrift, unknown_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from streams.drift.periods import Periods
    from streams.features.tokens import TextPipeline
    from streams.inference.contracts import ModelVersion
    from streams.policy import Policy
    from streams.published import Shown
    from streams.settings import Settings

#: Predictions read of each period. At 0.1–0.5 ms to cut a text into words this is some seconds, and a share of unknown
#: words of 5 % is known to 0.3 points.
SAMPLE: Final = 5_000

Vocabularies = Mapping["ModelVersion", "npt.NDArray[np.int64]"]


def vocabularies(settings: Settings, policy: Policy, domain: str | None) -> dict[str, Vocabularies]:
    """Kind of event → model version → the words that it knows, for the models that the policy names.

    Models without hashes of words are left out. Raises `ClickException` for a file that cannot be read.
    """
    from streams.inference.contracts import ModelVersion
    from streams.inference.vocabulary import NotAModelError, vocabulary_of

    found: dict[str, Vocabularies] = {}
    for kind in ("message", "listing"):
        of_kind: dict[ModelVersion, npt.NDArray[np.int64]] = {}
        for one in policy.for_kind(kind):
            if domain not in (None, one.name):
                continue
            for reference in (one.champion, one.challenger):
                if reference is None:
                    continue
                version = ModelVersion(reference.model, reference.version)
                path = settings.model_repository / version.model / str(version.version) / "model.onnx"
                try:
                    words = vocabulary_of(path.read_bytes())
                except OSError as error:
                    raise click.ClickException(
                        f"{path}: {error.strerror}. --words reads the models' files: SEKISHO_MODEL_REPOSITORY must "
                        "name the directory that Triton serves"
                    ) from error
                except NotAModelError as error:
                    raise click.ClickException(f"{path} is no ONNX model: {error}") from error
                if words is not None:
                    of_kind[version] = words
        found[kind] = of_kind
    return found


async def word_drift(
    settings: Settings, periods: Periods, known: Mapping[str, Vocabularies], stop: asyncio.Event
) -> tuple[WordDrift, ...]:
    """Sample both periods of `predictions` and count what each model does not know."""
    from streams.features.tokens import TextPipeline
    from streams.kafka.clients import consumer
    from streams.kafka.reading import assign_all, present_ends, starts_since
    from streams.kafka.sampling import sampled

    text = TextPipeline()
    counts: list[dict[ModelVersion, WordCounts]] = []
    async with consumer(settings) as client:
        ends = await present_ends(client, await assign_all(client, [settings.topic("predictions")]))
        current = await starts_since(client, ends, periods.span_us(current=True)[0])
        reference = await starts_since(client, ends, periods.span_us(current=False)[0])
        for starts, until in ((reference, current), (current, ends)):
            of_period = {version: WordCounts() for versions in known.values() for version in versions}
            async for record in sampled(client, starts, until, SAMPLE):
                count_words(record.value, text, known, of_period)
                if stop.is_set():
                    return ()
            counts.append(of_period)
    before, now = counts
    return tuple(WordDrift(version, before[version], now[version]) for version in before)


def count_words(
    value: bytes | None,
    text: TextPipeline,
    known: Mapping[str, Vocabularies],
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


def _judged(shown: Shown) -> str:
    if not isinstance(shown.listing, msgspec.UnsetType):
        return f"{shown.listing.title}\n{shown.listing.description}"
    return shown.messages[-1].text if shown.messages else ""
