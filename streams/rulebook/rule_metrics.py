"""Prometheus metrics by rule, read from the rules' own counts when they are scraped.

Rules that never fired are there with zeros, and rules that are gone leave nothing behind, which counters of
prometheus_client would; besides, counting costs the stream an addition instead of a look-up by labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.rule_engine import RuleWatch

_LABELS = ("rule_id", "domain", "mode")


class RuleCollector(Collector):
    """The metrics of the rules that a watch follows, how many reloads were refused, and whether one is refused now.

    `refused` tells how many errors the files have as they stand.
    """

    def __init__(self, watch: RuleWatch, refused: Callable[[], int]) -> None:
        self._watch = watch
        self._refused = refused
        self.reload_failures = 0

    def collect(self) -> Iterable[Metric]:
        """Everything as it stands now."""
        failures = CounterMetricFamily(
            "sekisho_rules_reload_failures", "Changed rule files that were refused"
        )
        failures.add_metric((), self.reload_failures)
        refused = GaugeMetricFamily(
            "sekisho_rules_refused_errors",
            "Errors for which the rule files as they are now are not live; 0 if they are",
            value=self._refused(),
        )
        candidates = CounterMetricFamily(
            "sekisho_rule_candidates", "Events that hold a word a rule begins with", labels=_LABELS
        )
        hits = CounterMetricFamily("sekisho_rule_fired", "Events a rule fired on", labels=_LABELS)
        alerts = CounterMetricFamily(
            "sekisho_rule_alerts", "Events a rule fired on while it could raise an alert", labels=_LABELS
        )
        spent = CounterMetricFamily("sekisho_rule_seconds", "Time spent asking a rule", labels=_LABELS)
        last = GaugeMetricFamily(
            "sekisho_rule_last_hit_timestamp_seconds",
            "Time of the event a rule last fired on",
            labels=_LABELS,
        )
        shadowed = GaugeMetricFamily(
            "sekisho_rule_shadowed_by_valve",
            "1 while the safety valve keeps a rule from alerting",
            labels=_LABELS,
        )
        for rule_id, tally in self._watch.tallies.items():
            labels = (rule_id, tally.domain, tally.mode)
            candidates.add_metric(labels, tally.candidates)
            hits.add_metric(labels, tally.hits)
            alerts.add_metric(labels, tally.alerts)
            spent.add_metric(labels, tally.spent_s)
            shadowed.add_metric(labels, float(rule_id in self._watch.tripped))
            if tally.last_hit_us is not None:
                last.add_metric(labels, tally.last_hit_us / 1e6)
        yield from (failures, refused, candidates, hits, alerts, spent, last, shadowed)

    def describe(self) -> Iterable[Metric]:
        """Nothing: asked when registered, and there may be no rules yet."""
        return ()
