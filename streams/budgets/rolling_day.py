"""What the last 24 hours counted for one model in one domain (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from streams.budgets.decided import ROLES
from streams.policy import Domain, ModelRef
from streams.statistics.bins import Histogram, added
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US, AlertCounts, InputCounts, ScoreCounts, hour_of
from streams.vocabulary import KINDS

HOURS = 24
#: Hours that a book must keep: the day itself, and one more day to know that counting began before it, and which hours
#: of the night have no events anyway.
KEPT_HOURS = 2 * HOURS
#: The longest stretch of hours without counts that a whole day may have: 3 of 24 let 14 % too many alerts through.
LONGEST_GAP_H = 3


@dataclass(frozen=True, slots=True)
class RollingDay:
    """`whole`: see `is_whole`. `events` of the domain's kind; `by_rules` alerted by a rule;
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


def rolling_day(book: StatisticsBook, domain: Domain, reference: ModelRef, *, now_us: int) -> RollingDay:
    """The last 24 hours of the book."""
    day = day_over(book, domain, reference, weights(now_us))
    return replace(day, whole=is_whole(book, now_us=now_us))


def is_whole(book: StatisticsBook, *, now_us: int) -> bool:
    """Whether the last 24 hours were counted: counting began before them and did not stop for long.

    What was screened while nobody's counts arrived, or not at all because everything stood still, is missing from the
    day, and a threshold made from it would be too low. Hours without inputs of any kind are no gap where the same hours
    of the day before had none either (a night); a standstill of a day or more is one all the same.
    """
    newest = hour_of(now_us)
    hours = book.hours()
    if not hours or hours[0] > newest - HOURS:
        return False
    counted = {hour for hour in hours if _inputs_at(book, hour)}
    gap = standstill = 0  # hours on end without counts: those that no night explains, and all
    for hour in range(hours[0], newest + 1):
        if hour in counted:
            gap = standstill = 0
            continue
        standstill += 1
        is_night = standstill < HOURS and hours[0] <= hour - HOURS and hour - HOURS not in counted
        if hour >= newest - HOURS and not is_night:
            gap += 1
            if gap > LONGEST_GAP_H:
                return False
    return True


def _inputs_at(book: StatisticsBook, hour: int) -> int:
    return sum(counts.events for kind in KINDS if (counts := book.at(hour, ("inputs", kind))) is not None)


def day_over(
    book: StatisticsBook, domain: Domain, reference: ModelRef, hours: Mapping[int, float]
) -> RollingDay:
    """Sums hours of the book, each with its weight. Whether they are a whole day is for the caller to know.

    The scores are those of the version, whichever role it had: a promotion changes the role, not the scores. A version
    has one role at a time in a domain, so no event counts twice.
    """
    version = reference.model, str(reference.version)
    events = by_rules = by_models = scored = 0.0
    histograms = []
    for hour, weight in hours.items():
        if isinstance(counts := book.at(hour, ("inputs", domain.applies_to)), InputCounts):
            events += weight * counts.events
        if isinstance(counts := book.at(hour, ("alerts", domain.name)), AlertCounts):
            by_rules += weight * counts.by_rules
            by_models += weight * counts.by_models
        for role in ROLES:
            if isinstance(counts := book.at(hour, ("scores", domain.name, role, *version)), ScoreCounts):
                scored += weight * counts.events
                histograms.append((counts.alone, weight))
    return RollingDay(False, events, by_rules, by_models, scored, added(histograms))
