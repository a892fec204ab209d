"""The comparison of a domain's champion and challenger from a book of alerts and verdicts (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from streams.policy import Domain, ModelRef
from streams.review.alerted import ByModel
from streams.review.book import DAY_US, Book, Case
from streams.review.contest import Contest, Ranked, Recommendation, contest, depth_of, raised_by, recommend
from streams.review.watched import Watched


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found, times in microseconds since 1970. The models have the thresholds that they alert by now.

    `since_us`: from when on both were there; None while one of them has nothing, and then nothing is compared.
    """

    domain: Domain
    champion: ModelRef
    challenger: ModelRef
    since_us: int | None
    until_us: int
    found: Contest
    recommendation: Recommendation


def compared(
    domain: Domain, book: Book, watched: Watched | None, *, since_us: int, until_us: int
) -> Comparison:
    """Compare a domain's two models on the alerts raised between two times, and never before both were there.

    `watched` stands for the challenger's alerts where it is a shadow. Raises `ValueError` for a domain without a
    challenger.
    """
    champion, challenger = domain.champion, domain.challenger
    if champion is None or challenger is None:
        raise ValueError(f"{domain.name} has no challenger")
    cases = list(_cases(book, domain.name, since_us, until_us))
    of_champion = raised_by(cases, "champion", champion)
    of_challenger = raised_by(cases, "challenger", challenger)
    if watched is not None:
        of_challenger = watched.ranked(book, since_us=since_us)
    both_since_us: int | None = None
    if of_champion and of_challenger:
        both_since_us = max(since_us, _first_us(of_champion), _first_us(of_challenger))
        found = contest(
            _since(of_champion, both_since_us), _since(of_challenger, both_since_us), depth_of(domain)
        )
        advice = recommend(found, domain.trial.mode)
    else:  # alerts of one alone are from before the trial, or from a trial that has not begun
        found = contest({}, {}, depth_of(domain))
        who = "challenger" if of_champion else "champion" if of_challenger else None
        advice = Recommendation(
            "wait",
            f"the {who} has not scored or raised anything yet: there is nothing to compare"
            if who
            else "neither of the two has scored or raised anything yet: there is nothing to compare",
        )
    return Comparison(
        domain,
        _as_it_alerts(domain, champion, cases),
        _as_it_alerts(domain, challenger, cases),
        both_since_us,
        until_us,
        found,
        advice,
    )


def _first_us(ranked: Mapping[int, Sequence[Ranked]]) -> int:
    return min(case.fact.raised_at_us for day in ranked.values() for _, case in day)


def _since(ranked: Mapping[int, Sequence[Ranked]], at_us: int) -> dict[int, list[Ranked]]:
    return {
        day: [(score, case) for score, case in entries if case.fact.raised_at_us >= at_us]
        for day, entries in ranked.items()
        if day >= at_us // DAY_US
    }


def _cases(book: Book, domain: str, since_us: int, until_us: int) -> Iterator[Case]:
    for day in book.days:
        if (day + 1) * DAY_US > since_us and day * DAY_US < until_us:
            for case in book.cases(day):
                if case.fact.domain == domain and since_us <= case.fact.raised_at_us < until_us:
                    yield case


def _as_it_alerts(domain: Domain, model: ModelRef, cases: list[Case]) -> ModelRef:
    """With the threshold of its newest alert where the engine moves thresholds by itself."""
    if domain.budget_mode == "fixed":
        return model
    newest = max(
        (
            (case.fact.raised_at_us, by.threshold)
            for case in cases
            for by in case.fact.raised_by
            if isinstance(by, ByModel) and (by.model, by.version) == (model.model, str(model.version))
        ),
        default=None,
    )
    return model if newest is None else replace(model, threshold=newest[1])
