"""Precision@K: what share of a day's K highest-scored alerts are violations (pure).

The measure of the OpML'20 paper on Mercari's moderation: K is what moderators can review in a day, so it says how well
their time is used, whatever the threshold. Here per UTC day, and averaged over whole days.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streams.review.book import Case
from streams.review.shares import Share, mean_share


@dataclass(frozen=True, slots=True)
class Top:
    """One day's K highest-scored alerts: how many there were (fewer than K on a quiet day), judged, and violations."""

    alerts: int
    judged: int
    violations: int


@dataclass(frozen=True, slots=True)
class PrecisionAtK:
    """The mean over days. `alerts`: the days' top alerts together; `precision.of`: those of them that were judged.

    Alerts that nobody judged, or only as unsure, are left out of a day's share, so it speaks of the judged ones alone:
    right if moderators do not choose by what they expect to find. `alerts` beside `precision.of` says how much of the
    top it rests on. A day without a judged alert among its top is left out.
    """

    k: int
    days: int
    alerts: int
    precision: Share


def first_of_day(ranked: Iterable[tuple[float | None, Case]], k: int) -> list[Case]:
    """The K first of a day's (score, case) by score.

    Alerts without a score (of a domain, those that a rule or nothing but a report raised) stand first: no threshold
    keeps them from the moderators. Ties by time and id, so that every worker takes the same.
    """
    return [case for _, case in heapq.nsmallest(k, ranked, key=_place)]


def counted(cases: Sequence[Case]) -> Top:
    """How many cases, how many of them judged, and how many violations."""
    verdicts = [case.verdict for case in cases]
    violations = verdicts.count("violation")
    return Top(len(cases), violations + verdicts.count("no_violation"), violations)


def top_of_day(ranked: Iterable[tuple[float | None, Case]], k: int) -> Top:
    """What was decided about the K first of a day's (score, case) by score (see `first_of_day`)."""
    return counted(first_of_day(ranked, k))


def precision_at_k(tops: Sequence[Top], k: int) -> PrecisionAtK:
    """The mean of the days' precision among their top K, with Wilson's interval (see `mean_share`)."""
    return PrecisionAtK(
        k=k,
        days=sum(top.judged > 0 for top in tops),
        alerts=sum(top.alerts for top in tops),
        precision=mean_share([(top.violations, top.judged) for top in tops]),
    )


def _place(entry: tuple[float | None, Case]) -> tuple[float, int, str]:
    score, case = entry
    return -math.inf if score is None else -score, case.fact.raised_at_us, case.fact.alert_id
