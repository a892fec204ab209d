"""The next threshold of an adaptive budget: a small step towards the one that gives K alerts per rolling day (pure).

No feedback from alerts: what counts is how many events of the last 24 hours reach a score, and that does not depend on
which threshold stood. So the control cannot swing, and the same counts give the same threshold whoever decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streams.budgets.rolling_day import RollingDay
from streams.policy import Domain
from streams.statistics.bins import cut_for, events_from

#: The alerts that a threshold stands for change by no more than this factor in an hour: a budget that is ten times
#: wrong is right after 5.7 hours (ln 10 / ln 1.5), and one night of odd traffic cannot silence a model unseen.
MOST_PER_HOUR: Final = 1.5
#: The longest time that one step makes up for, in hours: decisions are made every five minutes (3.4 % each).
LONGEST_STEP_H: Final = 1 / 12
#: Smaller changes are not made: with 500 alerts a day chance alone is 4.5 %.
LEAST_CHANGE: Final = 0.02
#: Fewer events than this say nothing about the scores of a day.
LEAST_EVENTS: Final = 1000
#: Fewer alerts than this in what a model version has scored so far are too few: 20 are known within 22 %. Of small
#: budgets a quarter of a day has to do.
LEAST_ALERTS: Final = 20
LEAST_PART: Final = 0.25
#: Where rules take the whole budget, models keep this part of it: a model silenced by a rule would be missed by nobody.
LEAST_FOR_MODELS: Final = 0.1
#: A threshold that lets through less than this part of what is wanted is first taken for one that lets through so much:
#: by factors alone it would take days to come from nothing.
NOTHING: Final = 0.1


@dataclass(frozen=True, slots=True)
class Waiting:
    """No decision; the threshold stays."""

    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """The next threshold; `wanted`, `before` and `expected` are events of the rolling day (`decided.Because`)."""

    threshold: float
    wanted: float
    before: float
    expected: float


def wanted_alerts(day: RollingDay, domain: Domain) -> float:
    """How many of the events that a model scored in the day may alert by it alone.

    What rules leave of the budget, at least a tenth of it; a half each for champion and challenger side by side; in
    proportion where the version has not been asked about all events yet. 0 without a budget.
    """
    if domain.alerts_per_day is None or domain.alerts_per_day_each is None or not day.events:
        return 0.0
    for_models = max(domain.alerts_per_day - day.by_rules, LEAST_FOR_MODELS * domain.alerts_per_day)
    each = domain.alerts_per_day_each / domain.alerts_per_day
    return for_models * each * min(1.0, day.scored / day.events)


def next_threshold(
    day: RollingDay, domain: Domain, *, standing: float, hours_since: float, most_share: float
) -> Step | Waiting:
    """The threshold to go to from the `standing` one, which was decided so many hours ago.

    `most_share`: no more than this share of what the model scored may alert (the safety valve's, for the same reason:
    whatever fires on one event in ten does not find violations), however large the budget is.
    """
    if not day.whole:
        return Waiting("a whole day without a gap has not been counted yet")
    if day.scored < LEAST_EVENTS:
        return Waiting(f"the model has scored {day.scored:.0f} events in 24 hours; {LEAST_EVENTS} are needed")
    wanted = wanted_alerts(day, domain)
    part = min(1.0, day.scored / max(day.events, 1.0))
    if wanted < min(LEAST_ALERTS, LEAST_PART * wanted / part):
        return Waiting(
            f"the model has scored {part:.0%} of the day's events: too few to know {wanted:.1f} alerts by"
        )
    wanted = min(wanted, most_share * day.scored)
    before = events_from(day.alone, standing)
    factor = MOST_PER_HOUR ** min(max(hours_since, 0.0), LONGEST_STEP_H)
    aim = min(max(wanted, before / factor), max(before, NOTHING * wanted) * factor)
    if abs(aim - before) < LEAST_CHANGE * before:
        return Waiting("the threshold is as it should be")
    cut = cut_for(day.alone, aim)
    return Step(cut.threshold, wanted, before, cut.events)
