"""What the last 24 hours counted for one model in one domain (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from streams.alerts import Role
from streams.policy import Domain, ModelRef
from streams.statistics.bins import Histogram, added
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US, AlertCounts, InputCounts, ScoreCounts, hour_of

HOURS = 24
#: Hours that a book must keep: the day itself, and one more day to know that counting began before it. Nights may be
#: hours without any event.
KEPT_HOURS = 2 * HOURS


@dataclass(frozen=True, slots=True)
class RollingDay:
    """`whole`: counting began 24 hours ago or earlier. `events` of the domain's kind; `by_rules` alerted by a rule;
    `scored` is what the model was asked about, `alone` its scores where no rule alerted.
    """

    whole: bool = False
    events: float = 0.0
    by_rules: float = 0.0
    by_models: float = 0.0
    scored: float = 0.0
    alone: Histogram = field(default_factory=dict)


def weights(now_us: int) -> dict[int, float]:
    """The hours of the last 24 and how much of each lies in them: what remains of the oldest, as if evenly filled."""
    newest = hour_of(now_us)
    gone = now_us % HOUR_US / HOUR_US
    return {newest - HOURS: 1.0 - gone, **dict.fromkeys(range(newest - HOURS + 1, newest + 1), 1.0)}


def rolling_day(
    book: StatisticsBook, domain: Domain, role: Role, reference: ModelRef, *, now_us: int
) -> RollingDay:
    """The last 24 hours of the book."""
    hours = book.hours()
    day = day_over(book, domain, role, reference, weights(now_us))
    return replace(day, whole=bool(hours) and hours[0] <= hour_of(now_us) - HOURS)


def day_over(
    book: StatisticsBook, domain: Domain, role: Role, reference: ModelRef, hours: Mapping[int, float]
) -> RollingDay:
    """Sums hours of the book, each with its weight. Whether they are a whole day is for the caller to know."""
    scores = "scores", domain.name, role, reference.model, str(reference.version)
    events = by_rules = by_models = scored = 0.0
    histograms = []
    for hour, weight in hours.items():
        if isinstance(counts := book.at(hour, ("inputs", domain.applies_to)), InputCounts):
            events += weight * counts.events
        if isinstance(counts := book.at(hour, ("alerts", domain.name)), AlertCounts):
            by_rules += weight * counts.by_rules
            by_models += weight * counts.by_models
        if isinstance(counts := book.at(hour, scores), ScoreCounts):
            scored += weight * counts.events
            histograms.append((counts.alone, weight))
    return RollingDay(False, events, by_rules, by_models, scored, added(histograms))
