"""What each rule does at run time, and the valve that silences a rule which suddenly fires on everything."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from streams.rule_engine.rule import Rule
from streams.vocabulary import KINDS, Kind, ValveLimits


@dataclass(frozen=True, slots=True)
class Tripped:
    """A rule that the valve set to shadow: at which event time, on what share of how many events it had fired."""

    rule_id: str
    rule_version: str
    owner: str
    at_us: int
    share: float
    of_events: int


@dataclass(slots=True)
class Tally:
    """What one rule did since the process began. `last_hit_us` is the event's time, `spent_s` processor time asking it."""

    mode: str
    domain: str
    candidates: int = 0
    hits: int = 0
    alerts: int = 0
    last_hit_us: int | None = None
    spent_s: float = 0.0


#: The events looked back on are counted in so many groups; the oldest group is forgotten as a whole.
_GROUPS = 10


@dataclass(slots=True)
class _Share:
    """How often a rule fired in each of the last groups of events."""

    groups: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_GROUPS))  # (group, hits)

    def add(self, group: int) -> int:
        """Count a hit; how many there were in the groups looked back on."""
        if self.groups and self.groups[-1][0] == group:
            self.groups[-1] = (group, self.groups[-1][1] + 1)
        else:
            self.groups.append((group, 1))
        return sum(hits for number, hits in self.groups if number > group - _GROUPS)


class RuleWatch:
    """Counts for every rule of the live set, over swaps, and its valve. Driven by events alone: no clock, no I/O.

    A tripped rule stays in shadow until its text changes (another version) or the process starts anew.
    """

    def __init__(self, limits: ValveLimits | None = None) -> None:
        self.limits = limits or ValveLimits()
        self.tallies: dict[str, Tally] = {}
        self.tripped: dict[str, Tripped] = {}
        self.events: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._shares: dict[str, _Share] = {}
        self._news: list[Tripped] = []

    def follow(self, rules: tuple[Rule, ...]) -> None:
        """A new set is live: counts of rules that stay go on, those of rules that are gone are dropped."""
        versions = {rule.id: rule.version() for rule in rules} if self.tripped else {}
        self.tripped = {
            rule_id: tripped
            for rule_id, tripped in self.tripped.items()
            if versions.get(rule_id) == tripped.rule_version
        }
        before = self.tallies
        self.tallies = {}
        for rule in rules:
            tally = before.get(rule.id) or Tally(rule.mode, rule.domain)
            tally.mode, tally.domain = rule.mode, rule.domain
            self.tallies[rule.id] = tally
        self._shares = {rule_id: share for rule_id, share in self._shares.items() if rule_id in self.tallies}

    def saw(self, kind: Kind) -> None:
        """An event is about to be judged."""
        self.events[kind] += 1

    def fired(self, rule: Rule, version: str, at_us: int) -> bool:
        """A rule fired. Whether it may raise an alert, as far as mode and valve go."""
        tally = self.tallies.get(rule.id)
        if tally is not None:
            tally.hits += 1
            tally.last_hit_us = at_us
        if rule.mode != "active" or self._holds(rule, version, at_us):
            return False
        if tally is not None:
            tally.alerts += 1
        return True

    def silences(self, rule_id: str, version: str) -> bool:
        """The valve has set this version of the rule to shadow."""
        known = self.tripped.get(rule_id)
        return known is not None and known.rule_version == version

    def news(self) -> list[Tripped]:
        """Rules that were shadowed since this was last asked."""
        news, self._news = self._news, []
        return news

    def _holds(self, rule: Rule, version: str, at_us: int) -> bool:
        if self.silences(rule.id, version):
            return True
        seen = self.events[rule.kind]
        group_size = max(1, self.limits.over_events // _GROUPS)
        hits = self._shares.setdefault(rule.id, _Share()).add(seen // group_size)
        # the group that is being filled, this event included, and the nine full ones before it
        looked_at = min(seen, (_GROUPS - 1) * group_size + seen % group_size + 1)
        if looked_at * 2 < self.limits.over_events or hits <= self.limits.max_share * looked_at:
            return False
        self.tripped[rule.id] = Tripped(rule.id, version, rule.owner, at_us, hits / looked_at, looked_at)
        self._news.append(self.tripped[rule.id])
        return True
