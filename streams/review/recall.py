"""How much of the violations is alerted on, estimated from what the random patrol found among the rest (pure).

The patrol draws every event that nothing flagged with a known chance, so each violation found among them stands for
1 / chance of them (Horvitz and Thompson 1952). What chance could have done is bounded exactly: violations that slip
through are rare, the counts are 0, 1 or 5, and there neither a normal interval nor a bootstrap says anything (of 0
found, a bootstrap finds 0 again and promises certainty).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streams.review.alerted import ByModel, ByPatrol, ByRule
from streams.review.binomial import number_limits, share_limits
from streams.review.book import Case
from streams.vocabulary import PATROL_DOMAIN, Kind

#: The interval of a recall misses it in at most so many of 100 cases; half of that is given to each of its two parts.
MISS = 0.05


@dataclass(frozen=True, slots=True)
class Reviewed:
    """So many alerts, so many of them judged one or the other, and so many of those violations."""

    alerts: int = 0
    judged: int = 0
    violations: int = 0

    def __add__(self, other: Reviewed) -> Reviewed:
        return Reviewed(
            self.alerts + other.alerts, self.judged + other.judged, self.violations + other.violations
        )


@dataclass(frozen=True, slots=True, order=True)
class Draw:
    """What the patrol drew of one kind of event with one chance."""

    kind: str
    share: float


@dataclass(frozen=True, slots=True)
class DayRecall:
    """One UTC day's counts. `caught`: alerts of a domain that rules or models raised. `drawn`: what the patrol drew.

    `found`: violations that it found, by draw and domain. One without a usable domain counts as drawn and not judged.
    """

    caught: Mapping[str, Reviewed] = field(default_factory=dict)
    drawn: Mapping[Draw, Reviewed] = field(default_factory=dict)
    found: Mapping[tuple[Draw, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recall:
    """Of a domain's violations, the share that is alerted on, with an interval of 95 % or more.

    `caught` and `missed` are estimated numbers of violations; `drawn`, `judged` and `found` what the patrol drew of
    the domain's kind of event, what of it was judged, and the domain's violations in it. `value` is None while nothing
    drawn was judged.
    """

    domain: str
    value: float | None
    low: float
    high: float
    caught: float
    missed: float
    drawn: int
    judged: int
    found: int


def without_domain(case: Case, kinds: Mapping[str, Kind]) -> bool:
    """Whether the patrol found a violation of which the decision does not say what it is: it names no domain, an
    unknown one, or one of the other kind of event.
    """
    return (
        case.fact.domain == PATROL_DOMAIN
        and case.verdict == "violation"
        and kinds.get(case.judgement[0].domain) != case.fact.kind
    )


def day_recall(cases: Iterable[Case], kinds: Mapping[str, Kind]) -> DayRecall:
    """Count one day's cases; `kinds`: each domain's, by name."""
    caught: dict[str, Reviewed] = {}
    drawn: dict[Draw, Reviewed] = {}
    found: dict[tuple[Draw, str], int] = {}
    for case in cases:
        judged, violation = case.verdict in ("violation", "no_violation"), case.verdict == "violation"
        one = Reviewed(1, int(judged), int(violation))
        fact = case.fact
        if fact.domain != PATROL_DOMAIN:
            # What customers reported and nothing flagged is what slipped through: the patrol stands for it.
            if any(isinstance(by, ByRule | ByModel) for by in fact.raised_by):
                caught[fact.domain] = caught.get(fact.domain, Reviewed()) + one
            continue
        if without_domain(
            case, kinds
        ):  # it slipped through somewhere: called clean, it would raise every recall
            one, violation = Reviewed(1), False
        for by in fact.raised_by:
            if isinstance(by, ByPatrol):
                draw = Draw(fact.kind, by.share)
                drawn[draw] = drawn.get(draw, Reviewed()) + one
                if violation:
                    of = draw, case.judgement[0].domain
                    found[of] = found.get(of, 0) + 1
    return DayRecall(caught, drawn, found)


def recalls(days: Mapping[int, DayRecall], kinds: Mapping[str, Kind]) -> tuple[Recall, ...]:
    """The recall of every domain whose kind of event is patrolled; `kinds`: each domain's, by name.

    Days before the first draw of a kind are left out: what was missed then is not known.
    """
    found: list[Recall] = []
    for domain, kind in sorted(kinds.items()):
        first = min(
            (day for day, of_day in days.items() if any(d.kind == kind for d in of_day.drawn)), default=None
        )
        if first is not None:
            counted = [of_day for day, of_day in days.items() if day >= first]
            found.append(_recall(domain, kind, counted))
    return tuple(found)


def _recall(domain: str, kind: Kind, days: Sequence[DayRecall]) -> Recall:
    caught = sum((of_day.caught.get(domain, Reviewed()) for of_day in days), Reviewed())
    drawn: dict[Draw, Reviewed] = {}
    for of_day in days:
        for draw, reviewed in of_day.drawn.items():
            if draw.kind == kind:
                violations = of_day.found.get((draw, domain), 0)
                more = Reviewed(reviewed.alerts, reviewed.judged, violations)
                drawn[draw] = drawn.get(draw, Reviewed()) + more
    missed = [_missed(draw.share, reviewed, MISS / 2 / len(drawn)) for draw, reviewed in drawn.items()]
    ours = _caught(caught, MISS / 2)
    theirs = tuple(sum(part) for part in zip(*missed, strict=True))
    judged = sum(reviewed.judged for reviewed in drawn.values())
    return Recall(
        domain,
        value=_of(ours[0], theirs[0]) if judged else None,
        low=_of(ours[1], theirs[2]) or 0.0,
        high=1.0 if (high := _of(ours[2], theirs[1])) is None else high,
        caught=ours[0],
        missed=theirs[0],
        drawn=sum(reviewed.alerts for reviewed in drawn.values()),
        judged=judged,
        found=sum(reviewed.violations for reviewed in drawn.values()),
    )


def _caught(alerts: Reviewed, miss: float) -> tuple[float, float, float]:
    """Violations among a domain's alerts, with limits: those judged, and of the others the share that was judged so.

    Right if people do not choose what to judge by what they expect to find.
    """
    pending = alerts.alerts - alerts.judged
    low, high = share_limits(alerts.violations, alerts.judged, miss) if pending else (0.0, 0.0)
    share = alerts.violations / alerts.judged if alerts.judged else 0.0
    return (
        alerts.violations + pending * share,
        alerts.violations + pending * low,
        alerts.violations + pending * high,
    )


def _missed(share: float, drawn: Reviewed, miss: float) -> tuple[float, float, float]:
    """Violations that nothing flagged, with limits: each was drawn and judged with a known chance."""
    chance = share * drawn.judged / drawn.alerts if drawn.alerts else 0.0
    low, high = number_limits(drawn.violations, chance, miss)
    return drawn.violations / chance if chance else 0.0, low, high


def _of(caught: float, missed: float) -> float | None:
    return caught / (caught + missed) if caught + missed else None
