"""Quality as Prometheus gauges. Every worker exposes the same figures of the whole fleet: take their maximum, not sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from prometheus_client import Gauge

from streams import metrics
from streams.agents.gauges import Sample, Samples
from streams.review.intake import Taken
from streams.review.quality import Quality, Row
from streams.review.recall import Recall
from streams.review.shares import Share

#: Sources that become time series, those with the most alerts: a scrape must not grow with every rule ever written.
MOST_SOURCES: Final = 500
_STATES: Final = ("pending", "violation", "no_violation", "unsure")


def samples_of(quality: Quality, taken: Taken) -> Samples:
    """What the gauges are to show; nothing of a share while there is no verdict to speak of."""
    odd = {**asdict(quality.odd), "repeated": taken.repeated, "unusable": taken.unusable}
    return {
        **{(metrics.QUALITY_ODD_DECISIONS, (what,)): float(number) for what, number in odd.items()},
        **dict(sample for recall in quality.recalls for sample in _of_recall(recall)),
        **{
            sample: figure
            for row in sorted(quality.rows, key=_by_weight)[:MOST_SOURCES]
            for sample, figure in _of_row(row)
        },
    }


def _of_row(row: Row) -> Iterator[Sample]:
    source = row.source
    labels = (source.domain, source.kind, source.name, source.version, source.role)
    for state in _STATES:
        yield (metrics.QUALITY_ALERTS, (*labels, state)), float(getattr(row.tally, state))
    yield from _of_share(metrics.QUALITY_PRECISION, labels, row.tally.precision)
    if row.at_k is not None:
        yield from _of_share(metrics.QUALITY_PRECISION_AT_K, labels, row.at_k.precision)


def _of_recall(recall: Recall) -> Iterator[Sample]:
    return _of_share(metrics.QUALITY_RECALL, (recall.domain,), recall)


def _of_share(gauge: Gauge, labels: tuple[str, ...], share: Share | Recall) -> Iterator[Sample]:
    if share.value is not None:
        for bound, figure in (("value", share.value), ("low", share.low), ("high", share.high)):
            yield (gauge, (*labels, bound)), figure


def _by_weight(row: Row) -> tuple[bool, int]:
    return row.source.kind in ("rule", "report"), -row.tally.alerts
