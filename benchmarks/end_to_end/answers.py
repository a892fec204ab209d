"""What a system said about the messages, and where two systems say different things: speed counts only among equals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any

import orjson

#: Scores are written with six decimals; batches of other sizes and lengths round differently in the last of float32.
SCORE_TOLERANCE = 1e-5
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one message: each domain's score, the rules that fired, and the alerts it names."""

    scores: Mapping[str, float]
    rules: frozenset[str]
    alerts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answers:
    """All verdicts by message id, and what each alert rests on (rules and models) by alert id."""

    verdicts: Mapping[str, Verdict]
    alerts: Mapping[str, frozenset[str]]

    @property
    def alerted(self) -> int:
        """Messages with an alert."""
        return sum(bool(verdict.alerts) for verdict in self.verdicts.values())


def answers_of(predictions: Iterable[bytes], alerts: Iterable[bytes]) -> Answers:
    """From the records of `predictions` and of all `alerts.<domain>`. The latest revision of an alert counts."""
    verdicts = {}
    for value in predictions:
        prediction: dict[str, Any] = orjson.loads(value)
        verdicts[prediction["subject"]["message_id"]] = Verdict(
            scores={score["domain"]: score["score"] for score in prediction["scores"]},
            rules=frozenset(rule["rule_id"] for rule in prediction["rules"]),
            alerts=frozenset(prediction["alerts"]),
        )
    latest: dict[str, tuple[int, frozenset[str]]] = {}
    for value in alerts:
        alert: dict[str, Any] = orjson.loads(value)
        evidence = frozenset(item.get("rule_id") or item["model"] for item in alert["evidence"])
        revision, _ = latest.get(alert["alert_id"], (0, frozenset()))
        if alert["revision"] >= revision:
            latest[alert["alert_id"]] = alert["revision"], evidence
    return Answers(verdicts, {alert_id: evidence for alert_id, (_, evidence) in latest.items()})


def differences(expected: Answers, found: Answers) -> list[str]:
    """Sentences about answers that are not the same; answers that are missing are not told here (`missing`)."""
    told = []
    for message_id, verdict in found.verdicts.items():
        if message_id not in expected.verdicts:
            told.append(f"{message_id}: an answer to a message that nobody sent")
            continue
        other = expected.verdicts[message_id]
        if verdict.scores.keys() != other.scores.keys() or not all(
            isclose(score, other.scores[domain], rel_tol=0.0, abs_tol=SCORE_TOLERANCE)
            for domain, score in verdict.scores.items()
        ):
            told.append(f"{message_id}: scores {dict(verdict.scores)}, expected {dict(other.scores)}")
        if (verdict.rules, verdict.alerts) != (other.rules, other.alerts):
            told.append(
                f"{message_id}: rules {sorted(verdict.rules)} and {len(verdict.alerts)} alerts, "
                f"expected {sorted(other.rules)} and {len(other.alerts)}"
            )
    named = {alert_id for verdict in found.verdicts.values() for alert_id in verdict.alerts}
    told += [
        f"alert {alert_id} is named by a prediction and was not sent"
        for alert_id in named - found.alerts.keys()
    ]
    told += [
        f"alert {alert_id} rests on {sorted(found.alerts[alert_id])}, expected {sorted(expected.alerts[alert_id])}"
        for alert_id in sorted(named & found.alerts.keys() & expected.alerts.keys())
        if found.alerts[alert_id] != expected.alerts[alert_id]
    ]
    return told


def missing(expected: Answers, found: Answers) -> int:
    """Messages without an answer."""
    return len(expected.verdicts.keys() - found.verdicts.keys())


def shown(told: list[str]) -> str:
    """The first few of the differences, for an error."""
    rest = f"\n… and {len(told) - _EXAMPLES} more" if len(told) > _EXAMPLES else ""
    return "\n".join(told[:_EXAMPLES]) + rest
