"""The demo's ledger: what was produced, what came out, and whether every event is accounted for (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """One produced event: when (seconds), and its true labels by domain where the generator knows them."""

    at_s: float
    labels: Mapping[str, int]


@dataclass(slots=True)
class Ledger:
    """Everything seen on both sides of the engine, by the place of the event in Kafka."""

    produced: dict[Place, Sent] = field(default_factory=dict)
    predictions: dict[Place, list[str]] = field(default_factory=dict)
    dead_letters: dict[Place, str] = field(default_factory=dict)
    #: Ids of customers' reports sent, and of those that an alert speaks of.
    reports: set[str] = field(default_factory=set)
    reports_alerted: set[str] = field(default_factory=set)
    alerts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    #: Seconds from an event's sending to a subscriber's hands, of each alert's first revision.
    waited_s: list[float] = field(default_factory=list)
    repeated: int = 0

    def note_prediction(self, prediction: Mapping[str, Any]) -> None:
        """A `predictions` record."""
        source = prediction["source"]
        place = (source["topic"], source["partition"], source["offset"])
        if place in self.predictions:
            self.repeated += 1
        self.predictions[place] = list(prediction["alerts"])

    def note_dead_letter(self, place: Place, reason: str) -> None:
        """A `deadletter` record."""
        self.dead_letters[place] = reason

    def note_alert(self, alert: dict[str, Any], *, sent_at_s: float | None, now_s: float) -> None:
        """An `alerts.<domain>` record; a later revision replaces the earlier."""
        identity = (alert["domain"], alert["alert_id"])
        if identity not in self.alerts and sent_at_s is not None:
            self.waited_s.append(now_s - sent_at_s)
        self.alerts[identity] = alert
        self.reports_alerted |= {item["report_id"] for item in alert["evidence"] if item["by"] == "report"}

    @property
    def missing(self) -> list[Place]:
        """Produced events with neither a prediction nor a dead letter."""
        return sorted(self.produced.keys() - self.predictions.keys() - self.dead_letters.keys())

    @property
    def unanswered(self) -> set[str]:
        """Reports that no alert speaks of."""
        return self.reports - self.reports_alerted

    @property
    def reconciles(self) -> bool:
        """*events produced = predictions + dead letters*, event by event, and every report in an alert."""
        accounted = self.predictions.keys() | self.dead_letters.keys()
        return not self.missing and self.produced.keys() == accounted and self.reports == self.reports_alerted

    def alerts_by_domain(self) -> dict[str, dict[str, int]]:
        """Alerts per domain: in all, with evidence by rules, with evidence by models."""
        counts: dict[str, Counter[str]] = {}
        for (domain, _), alert in self.alerts.items():
            count = counts.setdefault(domain, Counter({"total": 0, "rule": 0, "model": 0}))
            count["total"] += 1
            count.update({item["by"] for item in alert["evidence"]})
        return {domain: dict(count) for domain, count in sorted(counts.items())}

    def true_alerts(self) -> dict[str, tuple[int, int]]:
        """Per domain (alerts on events that the generator made as violations, alerts whose truth is known)."""
        domains: dict[tuple[str, str], str] = {(domain, identity): domain for domain, identity in self.alerts}
        truth: dict[str, list[int]] = {}
        for place, identities in self.predictions.items():
            sent = self.produced.get(place)
            for identity in identities:
                for domain in sent.labels if sent else ():
                    if (domain, identity) in domains:
                        truth.setdefault(domain, []).append(sent.labels[domain] if sent else 0)
        return {domain: (sum(labels), len(labels)) for domain, labels in sorted(truth.items())}

    def summary(self, *, seconds: float) -> dict[str, Any]:
        """The numbers that the demo ends with; times in milliseconds."""
        waited = sorted(self.waited_s)
        return {
            "events": len(self.produced),
            "predictions": len(self.predictions),
            "dead_letters": len(self.dead_letters),
            "reports": len(self.reports),
            "reports_in_alerts": len(self.reports & self.reports_alerted),
            "alerts": self.alerts_by_domain(),
            "events_per_s": round(len(self.produced) / seconds, 1) if seconds else 0.0,
            "p50_ms": percentile_ms(waited, 0.50),
            "p99_ms": percentile_ms(waited, 0.99),
            "reconciles": self.reconciles,
            "missing": len(self.missing),
            "repeated": self.repeated,
            "dead_letters_by_reason": dict(sorted(Counter(self.dead_letters.values()).items())),
            "alerts_on_generated_violations": {
                domain: {"violations": hits, "alerts": total}
                for domain, (hits, total) in self.true_alerts().items()
            },
        }


def percentile_ms(ordered_s: Sequence[float], share: float) -> float | None:
    """The value at a share of an ordered list (nearest rank), in milliseconds; None when it is empty."""
    if not ordered_s:
        return None
    rank = max(0, min(len(ordered_s) - 1, int(share * len(ordered_s) + 0.5) - 1))
    return round(ordered_s[rank] * 1000, 1)
