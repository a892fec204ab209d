"""Models and thresholds tried on past predictions, beside what really happened (pure).

An event alerts in a domain when a rule fired then, or when a model that decides now reaches its threshold. What
happened is what the prediction says was raised. Verdicts are the newest on each alert; an event that was never alerted
has none, so the precision of new alerts is unknown until somebody judges them.

Alerts are counted by their id, as the engine raises them: an event that was sent again, or replayed, is the same alert
with the same verdict, and stands on a side when any of its deliveries raised it there.
"""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from streams.backtest.history import Skipped
from streams.backtest.predicted import Predicted
from streams.backtest.trial import EXAMPLES, Judged
from streams.inference.contracts import ModelVersion
from streams.policy import Policy
from streams.review.verdicts import Judgement
from streams.screening import Wanted, wanted_models

#: Events whose place in Kafka is remembered to tell repeats: a crash repeats half a second, at most some thousands.
REMEMBERED_EVENTS = 200_000
_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """An alert that only one side raises: the scores of the models that decide, the verdict if any, the masked text."""

    scores: tuple[tuple[ModelVersion, float], ...]
    by_rule: bool
    verdict: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Judgements:
    """Alerts of one sort, and what was decided of them."""

    alerts: int
    violations: int
    harmless: int
    examples: tuple[Example, ...]


#: What is known of an alert: on which sides it was raised, and the verdict.
_TRIED, _HAPPENED, _VIOLATION, _HARMLESS = 1, 2, 4, 8


class DomainOutcome:
    """One domain. `unscored` events had no score of a model that decides, neither recorded nor made now."""

    def __init__(self) -> None:
        self.events = 0
        self.unscored = 0
        #: Of every alert of a side and every judged event by alert id, and how many there are of each sort.
        self._known: dict[str, int] = {}
        self._sorts: Counter[int] = Counter()
        self._examples: dict[int, dict[str, Example]] = {_TRIED: {}, _HAPPENED: {}}

    def note(self, alert_id: str, example: Example, *, tried: bool, happened: bool) -> None:
        """Count one delivery of an event."""
        verdict = {True: _VIOLATION, False: _HARMLESS, None: 0}[example.verdict]
        before = self._known.get(alert_id, 0)
        after = before | verdict | tried * _TRIED | happened * _HAPPENED
        if after == before:
            return
        self._known[alert_id] = after
        self._sorts[before] -= before > 0
        self._sorts[after] += 1
        sides = after & (_TRIED | _HAPPENED)
        for side, kept in self._examples.items():
            if side != sides:
                kept.pop(alert_id, None)
            elif len(kept) < EXAMPLES:
                kept[alert_id] = example

    @property
    def alerts(self) -> int:
        """What would have been alerted."""
        return self._number(_TRIED)

    @property
    def happened(self) -> int:
        """What was alerted."""
        return self._number(_HAPPENED)

    @property
    def judged(self) -> Judged:
        """Verdicts beside what would have been alerted."""
        return self._judged(_TRIED)

    @property
    def judged_then(self) -> Judged:
        """Verdicts beside what was alerted."""
        return self._judged(_HAPPENED)

    @property
    def new(self) -> Judgements:
        """Alerts of the tried side alone."""
        return self._alone(_TRIED, _HAPPENED)

    @property
    def lost(self) -> Judgements:
        """Alerts that were raised and would not be."""
        return self._alone(_HAPPENED, _TRIED)

    def _judged(self, side: int) -> Judged:
        return Judged(
            right=self._number(side | _VIOLATION),
            wrong=self._number(side | _HARMLESS),
            missed=self._number(_VIOLATION, without=side),
        )

    def _alone(self, side: int, other: int) -> Judgements:
        return Judgements(
            self._number(side, without=other),
            self._number(side | _VIOLATION, without=other),
            self._number(side | _HARMLESS, without=other),
            tuple(self._examples[side].values()),
        )

    def _number(self, of: int, *, without: int = 0) -> int:
        return sum(n for sort, n in self._sorts.items() if sort & of == of and not sort & without)


@dataclass(slots=True)
class Rescored:
    """How the scores of a model made now, from masked input, differ from those recorded then."""

    differences: array[float] = field(default_factory=lambda: array("d"))
    crossed: int = 0

    def add(self, then: float, now: float, threshold: float) -> None:
        """Count one; `crossed` when it would alert on one side only."""
        self.differences.append(abs(now - then))
        self.crossed += (then >= threshold) != (now >= threshold)


class ModelTrial:
    """Takes predictions and adds up, for the domains named. `judgements` are moderators' by alert id."""

    def __init__(self, policy: Policy, domains: Collection[str], judgements: Mapping[str, Judgement]) -> None:
        self.policy = policy
        self.by_domain = {name: DomainOutcome() for name in sorted(domains)}
        self.events: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.skipped_examples: dict[str, str] = {}
        self.rescored: dict[ModelVersion, Rescored] = {}
        self.repeats = 0
        self.first_us: int | None = None
        self.last_us = 0
        self._judgements = judgements
        self._seen: OrderedDict[tuple[str, int, int], None] = OrderedDict()

    @property
    def days(self) -> float:
        """From the first event to the last, in days."""
        return 0.0 if self.first_us is None else (self.last_us - self.first_us) / _DAY_US

    def skip(self, skipped: Skipped, where: str) -> None:
        """Count a record that cannot be used. `where` names it for people."""
        self.skipped[skipped.reason] += 1
        self.skipped_examples.setdefault(skipped.reason, f"{where}: {skipped.detail}")

    def is_new(self, one: Predicted) -> bool:
        """Whether the event has not been seen before. Deliveries repeat after a crash."""
        if one.source in self._seen:
            self.repeats += 1
            return False
        self._seen[one.source] = None
        if len(self._seen) > REMEMBERED_EVENTS:
            self._seen.popitem(last=False)
        return True

    def wanted(self, one: Predicted) -> list[Wanted]:
        """The models that decide about this event in the domains that are tried."""
        return [
            wanted
            for wanted in wanted_models(self.policy, one.subject.kind, one.subject.key)
            if wanted.decides and wanted.domain in self.by_domain
        ]

    def add(self, one: Predicted, now: Mapping[ModelVersion, float | None]) -> None:
        """Judge one event. `now` are scores that were made for the trial; recorded ones stand in for the rest."""
        self.events[one.subject.kind] += 1
        self.first_us = one.scored_at_us if self.first_us is None else min(self.first_us, one.scored_at_us)
        self.last_us = max(self.last_us, one.scored_at_us)
        scores = {**one.scores, **now}
        deciding: dict[str, list[Wanted]] = {}
        for wanted in self.wanted(one):
            deciding.setdefault(wanted.domain, []).append(wanted)
            then, again = one.scores.get(wanted.model), now.get(wanted.model)
            if then is not None and again is not None:
                self.rescored.setdefault(wanted.model, Rescored()).add(then, again, wanted.threshold)
        for name, outcome in self.by_domain.items():
            if self.policy.domains[name].applies_to == one.subject.kind:
                self._domain(one, name, outcome, deciding.get(name, []), scores)

    def _domain(
        self,
        one: Predicted,
        name: str,
        outcome: DomainOutcome,
        deciding: Collection[Wanted],
        scores: Mapping[ModelVersion, float | None],
    ) -> None:
        found = [(w, score) for w in deciding if (score := scores.get(w.model)) is not None]
        outcome.events += 1
        outcome.unscored += len(found) < len(deciding)
        alerts = name in one.ruled or any(score >= w.threshold for w, score in found)
        identity = one.alert_id(name)
        happened = identity in one.alerts
        verdict = _verdict(self._judgements.get(identity, ()))
        said = tuple((wanted.model, score) for wanted, score in found)
        example = Example(said, name in one.ruled, verdict, one.text)
        outcome.note(identity, example, tried=alerts, happened=happened)


def _verdict(judgement: Judgement) -> bool | None:
    """Whether the newest verdict is a violation; None without one, and for one who was unsure."""
    word = judgement[0].verdict if judgement else "unsure"
    return None if word == "unsure" else word == "violation"
