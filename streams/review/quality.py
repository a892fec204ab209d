"""How good the alerts are by moderators' verdicts: per domain, per model version and role, per rule (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from streams.policy import Policy
from streams.review.alerted import ByModel, ByPatrol, ByReport, ByRule
from streams.review.book import DAY_US, Book, Case
from streams.review.recall import DayRecall, Recall, day_recall, recalls, without_domain
from streams.review.shares import Share, share
from streams.review.top import PrecisionAtK, Top, precision_at_k, top_of_day
from streams.review.verdicts import contradictory
from streams.vocabulary import PATROL_DOMAIN, Kind

SourceKind = Literal["domain", "model", "rule", "report", "patrol"]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Whose alerts are counted: a whole domain's, or of it one model's in one role, one rule's, the reports'.

    `name` is the model or rule; the alerts that the random patrol drew stand apart from every domain's.
    """

    domain: str
    kind: SourceKind = "domain"
    name: str = ""
    version: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Alerts by what was decided about them; `pending`: nothing yet."""

    pending: int = 0
    violation: int = 0
    no_violation: int = 0
    unsure: int = 0

    @property
    def alerts(self) -> int:
        """All of them."""
        return self.pending + self.violation + self.no_violation + self.unsure

    @property
    def judged(self) -> int:
        """Alerts that were called one or the other."""
        return self.violation + self.no_violation

    @property
    def precision(self) -> Share:
        """Violations among the judged; `unsure` says neither and is left out."""
        return share(self.violation, self.judged)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.pending + other.pending,
            self.violation + other.violation,
            self.no_violation + other.no_violation,
            self.unsure + other.unsure,
        )


@dataclass(frozen=True, slots=True)
class Budgets:
    """What a policy gives for the count. K by domain: alerts a day that can be reviewed, of all sources together and
    of one model alone.

    A challenger beside the champion shares the budget with it: each is measured at half of it.
    """

    of_domain: Mapping[str, int] = field(default_factory=dict)
    of_model: Mapping[str, int] = field(default_factory=dict)
    #: Each domain's kind of event: recall is estimated where the patrol draws from that kind.
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def of(self, source: Source) -> int | None:
        """K of a source; None where no budget is given, and for rules and reports, which have no scores to rank by."""
        if source.kind == "domain":
            return self.of_domain.get(source.domain)
        return self.of_model.get(source.domain) if source.kind == "model" else None


@dataclass(frozen=True, slots=True)
class Odd:
    """What is odd about decisions, counted in alerts.

    `again`: decided more than once, differently or at another time. `contradicted`: a violation by one decision and
    none by another. `early`: decided before the alert was raised, by the clocks. `unknown`: no such alert is in the
    book, or not yet. `patrol_without_domain`: a patrol's violation that names no domain of its kind of event.
    """

    again: int = 0
    contradicted: int = 0
    early: int = 0
    unknown: int = 0
    patrol_without_domain: int = 0

    def __add__(self, other: Odd) -> Odd:
        return Odd(
            self.again + other.again,
            self.contradicted + other.contradicted,
            self.early + other.early,
            self.unknown + other.unknown,
            self.patrol_without_domain + other.patrol_without_domain,
        )


@dataclass(frozen=True, slots=True)
class DayQuality:
    """One UTC day's counts; days add up."""

    tallies: Mapping[Source, Tally]
    tops: Mapping[Source, Top]
    odd: Odd = Odd()
    recall: DayRecall = field(default_factory=DayRecall)


@dataclass(frozen=True, slots=True)
class Row:
    """One source over the whole time. `at_k` is None without a budget."""

    source: Source
    tally: Tally
    at_k: PrecisionAtK | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything about a stretch of time, microseconds since 1970; `rows` by domain, its whole first."""

    since_us: int
    until_us: int
    rows: tuple[Row, ...]
    odd: Odd
    recalls: tuple[Recall, ...] = ()

    def of(self, kind: SourceKind) -> tuple[Row, ...]:
        """The rows of one kind."""
        return tuple(row for row in self.rows if row.source.kind == kind)

    def only(self, domains: Collection[str]) -> Quality:
        """The same without the rows and recalls of other domains."""
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.source.domain in domains),
            recalls=tuple(recall for recall in self.recalls if recall.domain in domains),
        )


def budgets_of(policy: Policy) -> Budgets:
    """The budgets that a policy gives. Half of an odd budget is rounded down, but never to nothing."""
    return Budgets(
        {name: d.alerts_per_day for name, d in policy.domains.items() if d.alerts_per_day is not None},
        {
            name: max(1, int(d.alerts_per_day_each))
            for name, d in policy.domains.items()
            if d.alerts_per_day_each is not None
        },
        {name: d.applies_to for name, d in policy.domains.items()},
    )


def day_quality(cases: Iterable[Case], budgets: Budgets) -> DayQuality:
    """Count one day's cases."""
    cases = list(cases)
    odd = Odd()
    counts: dict[Source, dict[str, int]] = {}
    ranked: dict[Source, list[tuple[float | None, Case]]] = {}
    for case in cases:
        odd += _odd(case, budgets.kinds)
        for source, score in _sources(case):
            of = counts.setdefault(source, {})
            state = case.verdict or "pending"
            of[state] = of.get(state, 0) + 1
            if budgets.of(source) is not None:
                ranked.setdefault(source, []).append((score, case))
    return DayQuality(
        {source: Tally(**count) for source, count in counts.items()},
        {source: top_of_day(entries, budgets.of(source) or 0) for source, entries in ranked.items()},
        odd,
        day_recall(cases, budgets.kinds),
    )


def quality(
    days: Mapping[int, DayQuality], budgets: Budgets, *, unknown: int, since_us: int, until_us: int
) -> Quality:
    """Add the days up. Precision@K is over those that lie wholly between the two times. `unknown`: see `Odd`."""
    odd = sum((of_day.odd for of_day in days.values()), Odd(unknown=unknown))
    tallies: dict[Source, Tally] = {}
    tops: dict[Source, list[Top]] = {}
    for day, of_day in days.items():
        for source, tally in of_day.tallies.items():
            tallies[source] = tallies.get(source, Tally()) + tally
        if since_us <= day * DAY_US and (day + 1) * DAY_US <= until_us:
            for source, top in of_day.tops.items():
                tops.setdefault(source, []).append(top)
    rows = [Row(source, tally, _at_k(source, tops, budgets)) for source, tally in tallies.items()]
    found = recalls({day: of_day.recall for day, of_day in days.items()}, budgets.kinds)
    return Quality(since_us, until_us, tuple(sorted(rows, key=_order)), odd, found)


def quality_of(book: Book, budgets: Budgets, *, since_us: int, until_us: int) -> Quality:
    """The quality of a book's alerts raised between two times."""
    days = {
        day: day_quality(
            [case for case in book.cases(day) if since_us <= case.fact.raised_at_us < until_us], budgets
        )
        for day in book.days
        if (day + 1) * DAY_US > since_us and day * DAY_US < until_us
    }
    return quality(days, budgets, unknown=book.unknown, since_us=since_us, until_us=until_us)


def _sources(case: Case) -> Iterator[tuple[Source, float | None]]:
    """Whom an alert counts for, and the score it is ranked by: each who raised it, once, and the domain."""
    domain = case.fact.domain
    if domain == PATROL_DOMAIN:
        yield Source(domain, "patrol"), None
        return
    yield Source(domain), case.fact.score
    best: dict[Source, float | None] = {}
    for by in case.fact.raised_by:
        match by:
            case ByModel():
                best[Source(domain, "model", by.model, by.version, by.role)] = by.score
            case ByRule():
                best[Source(domain, "rule", by.rule_id)] = None
            case ByReport():
                best[Source(domain, "report")] = None
            case ByPatrol():
                pass
    yield from best.items()


def _odd(case: Case, kinds: Mapping[str, Kind]) -> Odd:
    judgement = case.judgement
    if not judgement:
        return Odd()
    return Odd(
        again=int(len(judgement) > 1),
        contradicted=int(contradictory(judgement)),
        early=int(judgement[0].decided_at_us < case.fact.raised_at_us),
        patrol_without_domain=int(without_domain(case, kinds)),
    )


def _at_k(source: Source, tops: Mapping[Source, Sequence[Top]], budgets: Budgets) -> PrecisionAtK | None:
    k = budgets.of(source)
    return None if k is None else precision_at_k(tops.get(source, ()), k)


_KINDS: tuple[SourceKind, ...] = ("domain", "model", "rule", "report", "patrol")


def _order(row: Row) -> tuple[bool, str, int, int, Source]:
    """By domain, the patrol last; its whole, its models, its rules with the most alerts first, its reports."""
    source = row.source
    rank = row.tally.alerts if source.kind == "rule" else 0
    return source.kind == "patrol", source.domain, _KINDS.index(source.kind), -rank, source
