"""Drift for programs: everything that was compared, ready for JSON (pure)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from streams.drift.assessment import Assessment, SeriesDrift
from streams.drift.levels import Level, Measured
from streams.drift.precision import PrecisionDrift
from streams.drift.wording import advice
from streams.drift.words import WordDrift
from streams.events import rfc3339


def report(found: Assessment) -> dict[str, Any]:
    """The comparisons, the worst level and the advice. Numbers have six digits; times are RFC 3339."""
    (reference_us, _), (since_us, until_us) = (found.periods.span_us(current=c) for c in (False, True))
    return {
        "reference": rfc3339(reference_us),
        "since": rfc3339(since_us),
        "until": rfc3339(until_us),
        "level": found.level.word,
        "scores": [_series(drift) for drift in found.scores],
        "inputs": [_series(drift) for drift in found.inputs],
        "precision": [_precision(drift) for drift in found.precision],
        "words": [_words(drift) for drift in found.words],
        "advice": list(advice(found)),
    }


def _series(drift: SeriesDrift) -> dict[str, Any]:
    return {
        **asdict(drift.series),
        "reference_events": drift.reference_events,
        "events": drift.current_events,
        "level": drift.level.word,
        "measures": {name: _measured(measured) for name, measured in drift.measures.items()},
        "moved": None
        if drift.moved is None
        else {
            "bin": drift.moved.place,
            "before": _rounded(drift.moved.before),
            "now": _rounded(drift.moved.now),
        },
    }


def _measured(measured: Measured) -> dict[str, Any]:
    return {
        "value": _rounded(measured.distance.value),
        "by_chance": _rounded(measured.distance.by_chance),
        "usual": _rounded(measured.usual),
        "watch": _rounded(measured.limits.watch),
        "drifted": _rounded(measured.limits.drifted),
        "level": measured.level.word,
    }


def _precision(drift: PrecisionDrift) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(drift.source).items() if value != ""},
        "before": {"violation": drift.reference.violation, "judged": drift.reference.judged},
        "now": {"violation": drift.current.violation, "judged": drift.current.judged},
        "chance": _rounded(drift.chance),
        "level": Level(drift.level).word,
    }


def _words(drift: WordDrift) -> dict[str, Any]:
    return {
        "model": drift.model.model,
        "version": drift.model.version,
        "before": _rounded(drift.reference.share),
        "now": _rounded(drift.current.share),
        "texts": [drift.reference.texts, drift.current.texts],
        "new_words": list(drift.new_words),
        "level": drift.level.word,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
