"""The judgement of every series: what drifted, how far, against what is usual and what may be chance (pure)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from streams.drift import levels
from streams.drift.book import Compared, DriftBook, InputSeries, ScoreSeries, Series
from streams.drift.levels import Level, Limits, Measured, usual, worst
from streams.drift.measures import (
    Distance,
    Histogram,
    cuts_of,
    kolmogorov_smirnov,
    stability,
    times_as_many,
    top_of,
)
from streams.drift.periods import Periods
from streams.drift.precision import PrecisionDrift
from streams.drift.words import WordDrift

Measure = Callable[[Histogram, Histogram], Distance]


@dataclass(frozen=True, slots=True)
class Moved:
    """The bin whose share changed most, and its share before and now."""

    place: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class SeriesDrift:
    """A series compared. `measures` by name (`psi`, and for scores `ks` and `top`), none where events are too few."""

    series: Series
    reference_events: int
    current_events: int
    measures: Mapping[str, Measured]
    moved: Moved | None = None

    @property
    def level(self) -> Level:
        """The worst of the measures."""
        return worst(measured.level for measured in self.measures.values())


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that was compared over the periods."""

    periods: Periods
    scores: tuple[SeriesDrift, ...]
    inputs: tuple[SeriesDrift, ...]
    precision: tuple[PrecisionDrift, ...] = ()
    words: tuple[WordDrift, ...] = ()

    @property
    def level(self) -> Level:
        """The worst of all."""
        return worst(
            [drift.level for drift in (*self.scores, *self.inputs)]
            + [drift.level for drift in self.precision]
            + [drift.level for drift in self.words]
        )


def assess(
    book: DriftBook,
    periods: Periods,
    *,
    precision: Sequence[PrecisionDrift] = (),
    words: Sequence[WordDrift] = (),
    domain: str | None = None,
) -> Assessment:
    """Compare every series of the book, or what concerns one domain and all inputs."""
    found = [assess_series(series, book.compared(series, periods)) for series in book]
    return together(found, periods, precision=precision, words=words, domain=domain)


def together(
    found: Iterable[SeriesDrift],
    periods: Periods,
    *,
    precision: Sequence[PrecisionDrift] = (),
    words: Sequence[WordDrift] = (),
    domain: str | None = None,
) -> Assessment:
    """Single comparisons as a whole: all of them, or those of one domain and of the inputs.

    A series without an event in either period is left out: its hours are older than both.
    """
    there = [drift for drift in found if drift.reference_events or drift.current_events]
    return Assessment(
        periods,
        scores=tuple(
            drift
            for drift in there
            if isinstance(drift.series, ScoreSeries) and domain in (None, drift.series.domain)
        ),
        inputs=tuple(drift for drift in there if isinstance(drift.series, InputSeries)),
        precision=tuple(drift for drift in precision if domain in (None, drift.source.domain)),
        words=tuple(words),
    )


def assess_series(series: Series, compared: Compared) -> SeriesDrift:
    """Judge one series by its counts."""
    before, now = _events(compared.reference), _events(compared.current)
    if min(before, now) < levels.LEAST_EVENTS:
        return SeriesDrift(series, before, now, {})
    if isinstance(series, InputSeries):
        measures = {"psi": _measured(stability, levels.STABILITY, compared)}
        return SeriesDrift(series, before, now, measures, _moved(series, compared))
    tenths = compared.grouped(cuts_of(compared.reference))
    tops = compared.grouped([top_of(compared.reference, levels.TOP_SHARE)])
    measures = {
        "psi": _measured(stability, levels.STABILITY, tenths),
        "ks": _measured(kolmogorov_smirnov, levels.KOLMOGOROV_SMIRNOV, compared),
        "top": _measured(times_as_many, levels.TOP, tops),
    }
    shares = (tops.reference.get(1, 0.0) / before, tops.current.get(1, 0.0) / now)
    return SeriesDrift(series, before, now, measures, Moved("highest", *shares))


def _measured(measure: Measure, limits: Limits, compared: Compared) -> Measured:
    """The distance of the current period from the reference, and of each part of that from its rest."""
    distances: list[float | None] = []
    for part in compared.parts:
        rest = {place: count - part.get(place, 0.0) for place, count in compared.reference.items()}
        enough = min(_events(part), _events(rest)) >= levels.LEAST_EVENTS
        distances.append(measure(rest, part).value if enough else None)
    return Measured(measure(compared.reference, compared.current), limits, usual(distances))


def _moved(series: InputSeries, compared: Compared) -> Moved:
    before, now = _events(compared.reference), _events(compared.current)
    shares = [
        Moved(
            series.bin_name(place),
            compared.reference.get(place, 0.0) / before,
            compared.current.get(place, 0.0) / now,
        )
        for place in sorted(compared.reference.keys() | compared.current.keys())
    ]
    # Of two bins that only exchange events the one that grew: that is what is new.
    return max(shares, key=lambda moved: (round(abs(moved.now - moved.before), 9), moved.now - moved.before))


def _events(counts: Histogram) -> int:
    return round(math.fsum(counts.values()))
