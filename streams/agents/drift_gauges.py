"""Drift as Prometheus gauges. Every worker exposes the same figures of the whole fleet: take their maximum, not sum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streams import metrics
from streams.agents.gauges import Sample, Samples
from streams.drift.assessment import Assessment, SeriesDrift
from streams.drift.book import InputSeries, ScoreSeries
from streams.drift.precision import PrecisionDrift
from streams.drift.words import WordDrift

#: Sources that become time series, rules last and those that fell most first: a scrape must not grow with every rule
#: ever written.
MOST_SOURCES: Final = 200


def samples_of(found: Assessment) -> Samples:
    """What the gauges are to show; nothing of what there were too few events for but the level, which says so."""
    falls = sorted(found.precision, key=lambda drift: (drift.source.kind == "rule", -(drift.fall or -1.0)))
    return {
        **dict(sample for drift in found.scores for sample in _of_scores(drift)),
        **dict(sample for drift in found.inputs for sample in _of_inputs(drift)),
        **dict(sample for drift in falls[:MOST_SOURCES] for sample in _of_precision(drift)),
        **dict(sample for drift in found.words for sample in _of_words(drift)),
    }


def _of_scores(drift: SeriesDrift) -> Iterator[Sample]:
    series = drift.series
    assert isinstance(series, ScoreSeries)
    version = str(series.version)
    for name, measured in drift.measures.items():
        yield (metrics.DRIFT_SCORES, (series.domain, series.model, version, name)), measured.distance.value
    yield (metrics.DRIFT_LEVEL, ("scores", series.domain, series.model, version)), float(drift.level)


def _of_inputs(drift: SeriesDrift) -> Iterator[Sample]:
    series = drift.series
    assert isinstance(series, InputSeries)
    for measured in drift.measures.values():
        yield (metrics.DRIFT_INPUTS, (series.kind, series.fact)), measured.distance.value
    yield (metrics.DRIFT_LEVEL, ("inputs", series.kind, series.fact, "")), float(drift.level)


def _of_words(drift: WordDrift) -> Iterator[Sample]:
    model, version = drift.model.model, str(drift.model.version)
    for period, counts in (("reference", drift.reference), ("now", drift.current)):
        if (share := counts.share) is not None:
            yield (metrics.DRIFT_UNKNOWN_WORDS, (model, version, period)), share
    yield (metrics.DRIFT_LEVEL, ("words", "", model, version)), float(drift.level)


def _of_precision(drift: PrecisionDrift) -> Iterator[Sample]:
    source = drift.source
    if drift.fall is not None:
        labels = (source.domain, source.kind, source.name, source.version, source.role)
        yield (metrics.DRIFT_PRECISION_FALL, labels), drift.fall
    # A report or a whole domain has no name of its own; a version has one level, whatever its role was.
    named = ("precision", source.domain, source.name or source.kind, source.version)
    yield (metrics.DRIFT_LEVEL, named), float(drift.level)
