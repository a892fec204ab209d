"""Champion against challenger by moderators' verdicts: how precise each is, and how sure it is which is better (pure).

The online comparison of the OpML'20 paper on Mercari's moderation: both alert on the same traffic, each on half of the
budget, and moderators, who do not choose by who raised an alert, are the judges. An alert of both counts for both, so
what tells the two apart is what only one of them raised.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from streams.policy import ChallengerMode, Domain, ModelRef
from streams.review.alerted import ByModel
from streams.review.book import Case
from streams.review.top import PrecisionAtK, Top, counted, first_of_day, precision_at_k

#: Jeffreys' prior of a share, Beta(1/2, 1/2): it leaves least to itself, and its intervals cover well even for few
#: cases (Brown, Cai and DasGupta 2001).
PRIOR: Final = 0.5
#: Draws from the posterior. A probability of 0.975 is then known to 0.0005 (one standard deviation).
DRAWS: Final = 100_000
#: Sure enough to change what decides, or to end a trial. Stricter than 0.95, because people look every day: see
#: docs/champion-challenger.md for how often that misleads.
SURE: Final = 0.975
#: A difference in precision that nobody changes a model for.
MARGIN: Final = 0.02
#: Verdicts that each of the two needs before anything is recommended.
LEAST_JUDGED: Final = 50
#: One of the two raises more than so many times as many alerts: their precisions are not of the same depth.
UNEQUAL: Final = 1.5

#: The depth where a domain has no budget: every alert counts.
NO_LIMIT: Final = 1_000_000_000

Advice = Literal["promote", "keep", "wait"]
Ranked = tuple[float | None, Case]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many of its highest-scored alerts of a day each of the two is judged by."""

    champion: int
    challenger: int


@dataclass(frozen=True, slots=True)
class Groups:
    """The alerts among the two's daily tops, by who raised them."""

    both: Top
    champion_only: Top
    challenger_only: Top

    @property
    def overlap(self) -> float | None:
        """The share of all alerts that both raised (Jaccard)."""
        every = self.both.alerts + self.champion_only.alerts + self.challenger_only.alerts
        return self.both.alerts / every if every else None


@dataclass(frozen=True, slots=True)
class Difference:
    """Precision of the challenger less that of the champion: posterior mean, middle 95 %, standard deviation.

    `better` is the probability that it is above 0, `alike` that it is within `MARGIN`.
    """

    mean: float
    low: float
    high: float
    deviation: float
    better: float
    alike: float


@dataclass(frozen=True, slots=True)
class Contest:
    """What is known of the two. `difference` is None while one of them has no alerts."""

    champion: PrecisionAtK
    challenger: PrecisionAtK
    groups: Groups
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do, and why. `verdicts_needed`: about how many more would decide it, None where more do not help."""

    advice: Advice
    reason: str
    verdicts_needed: int | None = None


def depth_of(domain: Domain) -> Depth:
    """Half of the budget each where both raise alerts, and in a canary each one's part of it; else all alerts.

    In shadow the champion has the budget, and the challenger is looked at as if it had.
    """
    each = domain.alerts_per_day_each
    if each is None:
        return Depth(NO_LIMIT, NO_LIMIT)
    if domain.trial.mode != "canary":
        return Depth(max(1, int(each)), max(1, int(each)))
    share = domain.trial.share
    return Depth(max(1, round(each * (1 - share))), max(1, round(each * share)))


def raised_by(cases: Iterable[Case], role: str, model: ModelRef) -> dict[int, list[Ranked]]:
    """Of the cases, those that a model version raised in a role, by UTC day, each with that model's own score."""
    found: dict[int, list[Ranked]] = {}
    for case in cases:
        for by in case.fact.raised_by:
            if (
                isinstance(by, ByModel)
                and by.role == role
                and (by.model, by.version) == (model.model, str(model.version))
            ):
                found.setdefault(case.fact.day, []).append((by.score, case))
                break
    return found


def contest(
    champion: Mapping[int, Sequence[Ranked]], challenger: Mapping[int, Sequence[Ranked]], depth: Depth
) -> Contest:
    """Compare the two by the verdicts on their daily tops. The arguments: each one's alerts by UTC day."""
    days = sorted(champion.keys() | challenger.keys())
    ours = {day: first_of_day(champion.get(day, ()), depth.champion) for day in days}
    theirs = {day: first_of_day(challenger.get(day, ()), depth.challenger) for day in days}
    both: list[Case] = []
    champion_only: list[Case] = []
    challenger_only: list[Case] = []
    for day in days:
        of_champion = {case.fact.alert_id for case in ours[day]}
        of_challenger = {case.fact.alert_id for case in theirs[day]}
        both += [case for case in ours[day] if case.fact.alert_id in of_challenger]
        champion_only += [case for case in ours[day] if case.fact.alert_id not in of_challenger]
        challenger_only += [case for case in theirs[day] if case.fact.alert_id not in of_champion]
    groups = Groups(counted(both), counted(champion_only), counted(challenger_only))
    return Contest(
        champion=precision_at_k([counted(ours[day]) for day in days], depth.champion),
        challenger=precision_at_k([counted(theirs[day]) for day in days], depth.challenger),
        groups=groups,
        difference=difference(groups),
    )


def difference(groups: Groups, *, draws: int = DRAWS) -> Difference | None:
    """The posterior of the difference in precision; None while one of the two has no alerts.

    A model's precision is that of its two groups, weighted by how many *alerts* each has: so an alert of both counts
    for both and cancels out, and it does no harm if alerts of both are looked at first. The three groups' precisions
    are independent, each with Jeffreys' prior and its own verdicts.
    """
    both, ours, theirs = groups.both, groups.champion_only, groups.challenger_only
    if not both.alerts + ours.alerts or not both.alerts + theirs.alerts:
        return None
    rng = np.random.default_rng(20)  # always the same draws: the same verdicts give the same page
    of_both, of_ours, of_theirs = (
        rng.beta(PRIOR + top.violations, PRIOR + top.judged - top.violations, draws)
        for top in (both, ours, theirs)
    )
    champion = (both.alerts * of_both + ours.alerts * of_ours) / (both.alerts + ours.alerts)
    challenger = (both.alerts * of_both + theirs.alerts * of_theirs) / (both.alerts + theirs.alerts)
    found = challenger - champion
    low, high = np.quantile(found, [0.025, 0.975])
    return Difference(
        mean=float(found.mean()),
        low=float(low),
        high=float(high),
        deviation=float(found.std()),
        better=float((found > 0).mean()),
        alike=float((abs(found) < MARGIN).mean()),
    )


def recommend(found: Contest, mode: ChallengerMode) -> Recommendation:
    """Promote the challenger, keep the champion, or wait for more: with the reason and what is missing."""
    return _obstacle(found, mode) or weighed(found.difference, found.groups)


def _obstacle(found: Contest, mode: ChallengerMode) -> Recommendation | None:
    """What keeps the verdicts from being weighed at all."""
    if mode == "shadow":
        return Recommendation(
            "wait",
            "a shadow raises no alerts, so nobody judged what it alone would raise: let it go on in mode canary or "
            "beside",
        )
    if not found.champion.alerts or not found.challenger.alerts:
        who = "challenger" if found.champion.alerts else "champion"
        return Recommendation("wait", f"the {who} has raised no alert since both were there")
    filled = found.champion.alerts / found.champion.k, found.challenger.alerts / found.challenger.k
    if max(filled) > UNEQUAL * min(filled):
        return Recommendation(
            "wait",
            f"the champion raised {found.champion.alerts} alerts and the challenger {found.challenger.alerts}: who "
            "raises fewer is more precise by that alone. Set both thresholds by `sekisho calibrate` first",
        )
    judged = min(found.champion.precision.of, found.challenger.precision.of)
    if judged < LEAST_JUDGED:
        return Recommendation(
            "wait",
            f"of one of the two only {judged} alerts are judged; {LEAST_JUDGED} are the least",
            LEAST_JUDGED - judged,
        )
    return None


def weighed(known: Difference | None, groups: Groups) -> Recommendation:
    """What the verdicts say, once there are enough of them and nothing stands in the way."""
    if known is None or not groups.champion_only.alerts + groups.challenger_only.alerts:
        return Recommendation("keep", "the two raise the same alerts: there is nothing to choose")
    if known.better >= SURE:
        return Recommendation(
            "promote", f"the challenger is better with a probability of {percent(known.better)}"
        )
    if known.better <= 1 - SURE:
        return Recommendation(
            "keep", f"the champion is better with a probability of {percent(1 - known.better)}"
        )
    if known.alike >= SURE:
        return Recommendation(
            "keep", f"they differ by less than {MARGIN:g} with a probability of {percent(known.alike)}"
        )
    return Recommendation(
        "wait",
        f"the challenger is better with a probability of {percent(known.better)}; {SURE:.1%} are asked for, one way or the "
        "other",
        verdicts_needed(known, groups),
    )


def percent(probability: float) -> str:
    """With one decimal, and never as if it were certain."""
    if probability > 0.999:
        return "over 99.9%"
    return "under 0.1%" if probability < 0.001 else f"{probability:.1%}"


def verdicts_needed(known: Difference, groups: Groups) -> int:
    """About how many more verdicts on alerts of one model alone decide it, if the difference is what it seems.

    A posterior's deviation falls with the root of the verdicts, those that the two priors stand for included. It must
    become 1/1.96 of the difference, or of the margin where the difference is smaller: then the two are alike.
    """
    judged = groups.champion_only.judged + groups.challenger_only.judged + 4 * PRIOR
    wanted = max(abs(known.mean), MARGIN) / 1.96
    return max(1, math.ceil(judged * ((known.deviation / wanted) ** 2 - 1)))
