"""Thresholds that would have kept a budget over whole past days, and how sure that is (pure).

The online method of Ueta et al., "Auto Content Moderation in C2C e-Commerce" (OpML 2020): the K highest scores of a day
alert, K being what moderators review; a challenger beside the champion takes half of K and the champion the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from streams.alerts import Role
from streams.budgets.adaptive import LEAST_ALERTS, wanted_alerts
from streams.budgets.decided import ROLES, reference_of
from streams.budgets.rolling_day import HOURS, RollingDay, day_over
from streams.policy import ChallengerMode, Domain, ModelRef
from streams.review.alerted import ByModel
from streams.review.book import Case
from streams.review.shares import Z_95, Share, share
from streams.statistics.bins import added, cut_for, events_from
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US, hour_of

#: The parts of all traffic that champion and challenger alert on, by the challenger's mode and, of a canary, its share.
_PARTS: Final[Mapping[ChallengerMode, Callable[[float], tuple[float, float]]]] = {
    "beside": lambda _: (1.0, 1.0),
    "shadow": lambda _: (1.0, 0.0),
    "canary": lambda share: (1.0 - share, share),
}
#: Digits of a threshold in domains.yaml, as scores have them in outputs.
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Proposal:
    """A threshold for one model. Alerts are those by it alone, on all traffic of the kind.

    `low`..`high`: thresholds that the same number of days could as well have led to. `per_day` at the proposed threshold,
    `day_low`..`day_high` on one coming day like these, `standing_per_day` at the written one. `precision` by verdicts on
    alerts that reach the proposed threshold; `unjudged_per_day` of the alerts lie below the written one, where nobody
    could judge any. `too_few`: less than 20 alerts in all, the interval is wide. `scores`: how many
    it is made from, those where no rule alerted.
    """

    role: Role
    reference: ModelRef
    threshold: float
    low: float
    high: float
    standing_per_day: float
    per_day: float
    day_low: float
    day_high: float
    unjudged_per_day: float
    precision: Share
    capped: bool
    too_few: bool
    scores: float

    @property
    def refusal(self) -> str | None:
        """Why the threshold must not be written; None where it may. Of no scores it is 1, and the model would be silent."""
        if not self.scores:
            return (
                "it has no scores in these days: let it score for a day, or count from longer ago (--since)"
            )
        if self.too_few:
            return f"fewer than {LEAST_ALERTS} alerts in all these days: count from longer ago (--since)"
        return None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a domain's days were like, by day, and a proposal for each model asked for.

    `by_both` of the alerts a day are raised by champion and challenger and are reviewed once; None where not known.
    """

    domain: Domain
    days: int
    events_per_day: float
    by_rules_per_day: float
    proposals: tuple[Proposal, ...]
    by_both: float | None

    @property
    def alerts_per_day(self) -> float:
        """All alerts a day with the proposed thresholds of the models that alert: rules', models', doubly raised once."""
        parts = _PARTS[self.domain.trial.mode](self.domain.trial.share)
        by_models = sum(parts[ROLES.index(proposal.role)] * proposal.per_day for proposal in self.proposals)
        return self.by_rules_per_day + by_models - (self.by_both or 0.0)


def first_hour(since_us: int, *, now_us: int) -> int:
    """The hour to count from, so that there are as many whole hours before the running one as were asked for.

    A day asked for at half past ten is the 24 hours until ten, the first of them begun before the time asked for.
    """
    return hour_of(now_us) - math.ceil((now_us - since_us) / HOUR_US)


def whole_days(hours: Sequence[int], *, now_hour: int, since_hour: int) -> list[range]:
    """The stretches of 24 whole hours between the two, the newest first, that begin no earlier than counting did."""
    if not hours:
        return []
    first = max(since_hour, hours[0])
    return [range(end - HOURS, end) for end in range(now_hour, first + HOURS - 1, -HOURS)]


def calibrate(
    domain: Domain,
    book: StatisticsBook,
    days: Sequence[Collection[int]],
    *,
    roles: Collection[Role],
    cases: Iterable[Case],
    most_share: float,
) -> Calibration:
    """Proposals from the hours of each day. `cases` are the domain's alerts of that time with their verdicts.

    `most_share`: no more than this share of the events may alert. Raises `ValueError` for a domain without a budget or
    without a whole day of counts.
    """
    if domain.alerts_per_day is None:
        raise ValueError(
            f"{domain.name} has no budget: give it one in domains.yaml, budget: {{alerts_per_day: 300}}"
        )
    if not days:
        raise ValueError("no whole day has been counted yet: a worker must have run for 24 hours")
    by_models = [case for case in cases if case.fact.score is not None]
    proposals = []
    seen: list[RollingDay] = []
    for role in ROLES:
        reference = reference_of(domain, role)
        if reference is None or role not in roles:
            continue
        seen = [day_over(book, domain, reference, dict.fromkeys(hours, 1.0)) for hours in days]
        proposals.append(_proposal(domain, role, reference, seen, cases=by_models, most_share=most_share))
    if not proposals:
        raise ValueError(f"{domain.name} has no model in that role: there is no threshold to propose")
    return Calibration(
        domain=domain,
        days=len(days),
        events_per_day=sum(day.events for day in seen) / len(days),
        by_rules_per_day=sum(day.by_rules for day in seen) / len(days),
        proposals=tuple(proposals),
        by_both=_by_both(proposals, by_models, len(days))
        if len(proposals) > 1 and domain.trial.mode == "beside"
        else None,
    )


def _proposal(
    domain: Domain,
    role: Role,
    reference: ModelRef,
    days: Sequence[RollingDay],
    *,
    cases: Sequence[Case],
    most_share: float,
) -> Proposal:
    total = added((day.alone, 1.0) for day in days)
    events, scored = sum(day.events for day in days), sum(day.scored for day in days)
    budgeted = sum(wanted_alerts(day, domain) for day in days)
    wanted = min(budgeted, most_share * scored)
    # A version that came during these days has scored a part of the events: a day of all of them is so many times more.
    of_all = events / scored if scored else 0.0
    threshold = written_as(cut_for(total, wanted).threshold)
    per_day = [events_from(day.alone, threshold) for day in days]
    mean = sum(per_day) / len(days)
    # Days differ by chance (Poisson: as much as their mean) and by themselves; the larger of both is taken.
    spread = sum((count - mean) ** 2 for count in per_day) / (len(days) - 1) if len(days) > 1 else 0.0
    variance = max(spread, mean)
    off = Z_95 * math.sqrt(variance * len(days))
    in_a_day = Z_95 * math.sqrt(variance * (1 + 1 / len(days))) * of_all
    standing = events_from(total, reference.threshold) / len(days) * of_all
    return Proposal(
        role=role,
        reference=reference,
        threshold=threshold,
        low=written_as(cut_for(total, wanted + off).threshold),
        high=written_as(cut_for(total, max(0.0, wanted - off)).threshold),
        standing_per_day=standing,
        per_day=mean * of_all,
        day_low=max(0.0, mean * of_all - in_a_day),
        day_high=mean * of_all + in_a_day,
        unjudged_per_day=max(0.0, mean * of_all - standing),
        precision=_precision(cases, reference, threshold),
        capped=wanted < budgeted,
        too_few=wanted < LEAST_ALERTS,
        scores=sum(total.values()),
    )


def written_as(threshold: float) -> float:
    """A threshold with as many digits as it has in domains.yaml; one that is not 1 does not become 1."""
    return min(round(threshold, DIGITS), 1 - 10**-DIGITS) if threshold < 1 else 1.0


def _precision(cases: Sequence[Case], reference: ModelRef, threshold: float) -> Share:
    verdicts = [case.verdict for case in cases if _reaches(case, reference, threshold)]
    violations = verdicts.count("violation")
    return share(violations, violations + verdicts.count("no_violation"))


def _by_both(proposals: Sequence[Proposal], cases: Sequence[Case], days: int) -> float | None:
    """Alerts a day that reach both thresholds. Known only where both have stood at least as low."""
    if any(proposal.threshold < proposal.reference.threshold for proposal in proposals):
        return None
    both = sum(all(_reaches(case, p.reference, p.threshold) for p in proposals) for case in cases)
    return both / days


def _reaches(case: Case, reference: ModelRef, threshold: float) -> bool:
    return any(
        isinstance(by, ByModel)
        and (by.model, by.version) == (reference.model, str(reference.version))
        and by.score >= threshold
        for by in case.fact.raised_by
    )
