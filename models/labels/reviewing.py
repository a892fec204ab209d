"""Folds records of `alerted` and `decisions`, in any order and however often, into what is known of alerts (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from models.labels.joining import Judgement, Review
from streams.events import BadRecord
from streams.review import alerted, verdicts


class Reviews:
    """Every alert's verdicts, the newest of which counts, and everything that was alerted on.

    Some 660 bytes an alert with one verdict.
    """

    def __init__(self) -> None:
        self._judgements: dict[str, verdicts.Judgement] = {}
        self._alerted: set[str] = set()
        self._keys: set[str] = set()
        self._decisions = 0
        self._unreadable = {"decisions": 0, "alerted": 0}

    def take_decisions(self, records: Sequence[verdicts.RawDecision]) -> None:
        """Records of `decisions`; what a worker puts into `deadletter` is counted and left out."""
        for record in records:
            try:
                alert_id, verdict = verdicts.verdict_in(record)
            except BadRecord:
                self._unreadable["decisions"] += 1
                continue
            self._decisions += 1
            before = self._judgements.get(alert_id, ())
            self._judgements[alert_id] = verdicts.with_verdict(before, verdict)

    def take_alerted(self, records: Sequence[verdicts.RawDecision]) -> None:
        """Records of `alerted`."""
        for record in records:
            try:
                facts = alerted.decode(record.value)
            except msgspec.DecodeError:
                self._unreadable["alerted"] += 1
                continue
            self._alerted.add(facts.alert_id)
            if key := facts.subject.get("transaction_id") or facts.subject.get("listing_id"):
                self._keys.add(key)

    def so_far(self) -> Review:
        """What is known by now."""
        found = {
            alert_id: Judgement(
                judgement[0].verdict, judgement[0].domain or None, verdicts.contradictory(judgement)
            )
            for alert_id, judgement in self._judgements.items()
        }
        return Review(found, self._alerted, self._keys)

    def counts(self) -> dict[str, Any]:
        """For labels.json: records and the alerts that they speak of."""
        newest = [judgement[0].verdict for judgement in self._judgements.values()]
        return {
            "records": self._decisions,
            "alerts": len(newest),
            **{word: newest.count(word) for word in ("violation", "no_violation", "unsure")},
            "decided_again": sum(len(judgement) > 1 for judgement in self._judgements.values()),
            "contradicted": sum(map(verdicts.contradictory, self._judgements.values())),
            "unreadable": self._unreadable["decisions"],
            "alerted": len(self._alerted),
            "alerted_unreadable": self._unreadable["alerted"],
        }
