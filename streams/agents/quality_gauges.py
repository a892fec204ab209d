"""Quality as Prometheus gauges. Every worker exposes the same figures of the whole fleet: take their maximum, not sum."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from prometheus_client import Gauge

from streams import metrics
from streams.review.intake import Taken
from streams.review.quality import Quality, Row
from streams.review.shares import Share

#: Sources that become time series, those with the most alerts: a scrape must not grow with every rule ever written.
MOST_SOURCES: Final = 500
_STATES: Final = ("pending", "violation", "no_violation", "unsure")


def publish(quality: Quality, taken: Taken) -> None:
    """Set every gauge anew; what is no longer counted disappears."""
    for gauge in (
        metrics.QUALITY_ALERTS,
        metrics.QUALITY_PRECISION,
        metrics.QUALITY_PRECISION_AT_K,
        metrics.QUALITY_ODD_DECISIONS,
    ):
        gauge.clear()
    for row in sorted(quality.rows, key=_by_weight)[:MOST_SOURCES]:
        labels = {
            "domain": row.source.domain,
            "by": row.source.kind,
            "name": row.source.name,
            "version": row.source.version,
            "role": row.source.role,
        }
        for state in _STATES:
            metrics.QUALITY_ALERTS.labels(**labels, verdict=state).set(getattr(row.tally, state))
        _set(metrics.QUALITY_PRECISION, labels, row.tally.precision)
        if row.at_k is not None:
            _set(metrics.QUALITY_PRECISION_AT_K, labels, row.at_k.precision)
    odd = {**asdict(quality.odd), "repeated": taken.repeated, "unusable": taken.unusable}
    for what, number in odd.items():
        metrics.QUALITY_ODD_DECISIONS.labels(what=what).set(number)


def _set(gauge: Gauge, labels: dict[str, str], share: Share) -> None:
    """The share and the ends of its interval; nothing while there is no verdict to speak of."""
    if share.value is None:
        return
    for bound, figure in (("value", share.value), ("low", share.low), ("high", share.high)):
        gauge.labels(**labels, bound=bound).set(figure)


def _by_weight(row: Row) -> tuple[bool, int]:
    return row.source.kind in ("rule", "report"), -row.tally.alerts
