"""Simulated moderators: mostly right, sometimes wrong, unsure, late, twice, or corrected by a colleague."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from streams.vocabulary import PATROL_DOMAIN

Event = tuple[str, bytes, bytes]


@dataclass(frozen=True)
class Habits:
    """Shares of alerts. `corrected`: a colleague decides again, later, and is right."""

    wrong: float = 0.08
    unsure: float = 0.05
    repeated: float = 0.1
    corrected: float = 0.2
    late: float = 0.1


@dataclass
class Decided:
    """Records for `decisions`: those that come at once, and those that come when everybody has gone on."""

    at_once: list[Event] = field(default_factory=list)
    late: list[Event] = field(default_factory=list)


def decide(
    alerts: Iterable[Mapping[str, Any]],
    truth: Mapping[str, Mapping[str, int]],
    rng: Random,
    habits: Habits | None = None,
) -> Decided:
    """Verdicts on alerts about messages; `truth` is each message's labels by domain, as the generator knows them."""
    habits = habits or Habits()
    decided = Decided()
    now = datetime.now(UTC)
    for alert in alerts:
        labels = truth[alert["subject"]["message_id"]]
        violated = [domain for domain, label in labels.items() if label]
        if alert["domain"] == PATROL_DOMAIN:
            right = bool(violated)
            named = {"domain": violated[0]} if violated else {}
        else:
            right, named = alert["domain"] in violated, {"domain": alert["domain"]}
        drawn = rng.random()
        if drawn < habits.unsure:
            verdict = "unsure"
        elif drawn < habits.unsure + habits.wrong:
            verdict = _word(not right)
        else:
            verdict = _word(right)
        first = _event(alert, verdict, named, f"mod-{rng.randint(1, 3)}", now)
        records = [first]
        if rng.random() < habits.repeated:
            records.append(first)
        if rng.random() < habits.corrected:
            records.append(_event(alert, _word(right), named, "mod-lead", now + timedelta(minutes=5)))
        (decided.late if rng.random() < habits.late else decided.at_once).extend(records)
    return decided


def _word(violation: bool) -> str:
    return "violation" if violation else "no_violation"


def _event(
    alert: Mapping[str, Any], verdict: str, named: Mapping[str, str], moderator: str, at: datetime
) -> Event:
    body = {
        "alert_id": alert["alert_id"],
        "verdict": verdict,
        "moderator_id": moderator,
        "decided_at": at.isoformat(timespec="milliseconds"),
        **(named if verdict == "violation" else {}),
    }
    return "decisions", alert["alert_id"].encode(), json.dumps(body).encode()
