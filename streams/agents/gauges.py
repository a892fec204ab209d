"""Prometheus gauges that show a set of figures: what changed is set, what is gone is removed."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Gauge

#: A gauge and the values of its labels, to the figure.
Sample = tuple[tuple[Gauge, tuple[str, ...]], float]
Samples = Mapping[tuple[Gauge, tuple[str, ...]], float]


class ShownGauges:
    """An unchanged figure costs next to nothing: setting thousands anew would hold the event loop for 20 ms."""

    def __init__(self) -> None:
        self._shown: Samples = {}

    def show(self, samples: Samples) -> None:
        """Bring the gauges to these figures."""
        for (gauge, labels), figure in samples.items():
            if self._shown.get((gauge, labels)) != figure:
                gauge.labels(*labels).set(figure)
        for gauge, labels in self._shown.keys() - samples.keys():
            gauge.remove(*labels)
        self._shown = samples
