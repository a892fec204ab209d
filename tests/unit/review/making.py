"""Alerts' facts and decisions for the tests of the book."""

from __future__ import annotations

from streams.events import rfc3339
from streams.review.alerted import Alerted, ByModel, ByRule, RaisedBy
from streams.review.book import DAY_US
from streams.review.verdicts import Verdict, VerdictWord

#: 2026-11-01T00:00:00Z as a day since 1970.
DAY = 20_758
HOUR_US = DAY_US // 24


def at(day: int = 0, hour: float = 0) -> int:
    """Microseconds since 1970, so many days and hours after `DAY` began."""
    return (DAY + day) * DAY_US + int(hour * HOUR_US)


def by_model(score: float, *, version: int = 3, role: str = "champion") -> ByModel:
    return ByModel("message_contact", str(version), role, score, 0.5)  # type: ignore[arg-type]


def alerted(
    alert_id: str,
    *raised_by: RaisedBy,
    day: int = 0,
    hour: float = 1,
    domain: str = "contact",
    revision: int = 1,
) -> Alerted:
    moment = rfc3339(at(day, hour))
    return Alerted(
        alert_id=alert_id,
        domain=domain,
        revision=revision,
        raised_at=moment,
        event_at=moment,
        subject={"type": "message", "message_id": f"m-{alert_id}", "transaction_id": "t"},
        raised_by=raised_by or (ByRule("contact.line"),),
    )


def verdict(word: VerdictWord, *, day: int = 0, hour: float = 2, moderator: str = "mod-1") -> Verdict:
    return Verdict(at(day, hour), moderator, word)
