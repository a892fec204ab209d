"""A compiled set of rules: texts go in once, events are judged on what was found in them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Literal, TypeAlias

import msgspec

from streams.rule_engine.compiled import CompiledRule, ScannedTurn, compile_rule
from streams.rule_engine.conditions import unmet
from streams.rule_engine.match_tree import Found
from streams.rule_engine.rule import Fact, Rule, version_of
from streams.rule_engine.scan import Atom, Scan, Scanner, Step, Vocabulary
from streams.rule_engine.views import MAX_CHARS, WayBack
from streams.rule_engine.watch import RuleWatch
from streams.vocabulary import Kind

#: Places shown for one hit: what a moderator can take in. More are of no use and would bloat the alert.
MAX_SPANS = 20
#: A step of assembling a set: compiling a rule takes some 30 µs.
_RULES_AT_ONCE = 50
#: The rules, by number, that may fire where an atom is.
_Triggers: TypeAlias = dict[Atom, tuple[int, ...]]


class Span(msgspec.Struct, frozen=True):
    """A place in the original text of a message (`field` "text") or of a listing's field; `end` is exclusive."""

    message_id: str | None
    field: str
    start: int
    end: int


class RuleHit(msgspec.Struct, frozen=True):
    """A rule that fired. In mode `shadow` it is recorded and raises no alert."""

    rule_id: str
    rule_version: str
    domain: str
    severity: str
    score: int
    mode: Literal["active", "shadow"]
    spans: tuple[Span, ...]


class RuleSet:
    """Rules that can be asked. Not changed after it is made; swap it by one assignment.

    Rules in mode `off` are kept for their version and never asked. With a `watch` every rule's doings are counted and
    its valve decides about alerts. Raises `BadRegex` for a pattern that does not compile and ValueError for a word of
    which nothing is left in its view; the checker reports both with their place.
    """

    def __init__(self, rules: Iterable[Rule], *, watch: RuleWatch | None = None) -> None:
        for step in self._assembling(rules, watch):
            step()

    @classmethod
    def assembling(
        cls, rules: Iterable[Rule], *, watch: RuleWatch | None = None
    ) -> tuple[RuleSet, Iterator[Step]]:
        """A set that is not ready, and the steps that make it so, see `Step`.

        Each step is called before the next one is asked for; between them the caller may do other work.
        """
        rule_set = cls.__new__(cls)
        return rule_set, rule_set._assembling(rules, watch)

    def _assembling(self, rules: Iterable[Rule], watch: RuleWatch | None) -> Iterator[Step]:
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: rule.id))
        self.watch = watch
        vocabulary = Vocabulary()
        self._compiled: list[CompiledRule] = []
        self._by_trigger: dict[Kind, _Triggers] = {"message": {}, "listing": {}}
        self._of_window: _Triggers = {}
        versions: dict[str, str] = {}
        for at in range(0, len(self.rules), _RULES_AT_ONCE):
            yield Step(partial(self._add, self.rules[at : at + _RULES_AT_ONCE], vocabulary, versions))
        self.version = version_of(versions)
        self._scanner = Scanner.empty(self.version)
        yield from self._scanner.assembling(vocabulary)

    def _add(self, rules: Iterable[Rule], vocabulary: Vocabulary, versions: dict[str, str]) -> None:
        for rule in rules:
            if rule.mode == "off":
                versions[rule.id] = rule.version()
                continue
            compiled = compile_rule(rule, vocabulary)
            versions[rule.id] = compiled.version
            triggered = self._of_window if rule.window.scope != "last" else self._by_trigger[rule.kind]
            for atom in compiled.node.triggers:
                triggered[atom] = (*triggered.get(atom, ()), len(self._compiled))
            self._compiled.append(compiled)

    @property
    def compiled(self) -> Sequence[CompiledRule]:
        """The rules that are asked, by id."""
        return self._compiled

    def rule(self, rule_id: str) -> CompiledRule:
        """A rule that is asked. Raises KeyError for one that is off or not in the set."""
        at = bisect_left(self._compiled, rule_id, key=lambda compiled: compiled.rule.id)
        if at == len(self._compiled) or self._compiled[at].rule.id != rule_id:
            raise KeyError(rule_id)
        return self._compiled[at]

    def scan(self, text: str) -> Scan:
        """Look through one text, once for all rules. Any string is allowed; 10,000 characters are read."""
        return self._scanner.scan(text)

    def evaluate_message(
        self, turns: Sequence[ScannedTurn], facts: Mapping[str, Fact], *, at_us: int, counted: bool = True
    ) -> list[RuleHit]:
        """The rules that fire on a message: `turns` oldest first, the last one is the event.

        `facts` are the event's (`status`, `writer`, `sender_id`). A scan made by another rule set is made again.
        Not `counted`: the event is judged once more, and neither the watch nor its valve count it.
        """
        if not turns:
            return []
        for turn in turns:
            if turn.scan.version != self.version:
                turns = self.own_turns(turns)
                break
        if self.watch is not None and counted:
            self.watch.saw("message")
        indexes = self._triggered_by_messages([turn.scan for turn in turns])
        if not indexes:
            return []
        return self._evaluate(
            indexes, lambda compiled: compiled.in_messages(turns), facts, at_us, counted=counted
        )

    def evaluate_listing(
        self, fields: Mapping[str, Scan], facts: Mapping[str, Fact], *, at_us: int, counted: bool = True
    ) -> list[RuleHit]:
        """The rules that fire on a listing: `fields` are `title` and `description`. `counted` as for messages."""
        scans = self.own_fields(fields)
        if self.watch is not None and counted:
            self.watch.saw("listing")
        indexes = self._triggered_by_fields(scans.values())
        if not indexes:
            return []
        return self._evaluate(
            indexes, lambda compiled: compiled.in_fields(scans), facts, at_us, counted=counted
        )

    def own_turns(self, turns: Sequence[ScannedTurn]) -> list[ScannedTurn]:
        """The turns with scans of this set."""
        return [
            turn
            if turn.scan.version == self.version
            else ScannedTurn(turn.message_id, turn.writer, self.scan(turn.scan.text))
            for turn in turns
        ]

    def own_fields(self, fields: Mapping[str, Scan]) -> dict[str, Scan]:
        """The fields with scans of this set."""
        return {
            name: scan if scan.version == self.version else self.scan(scan.text)
            for name, scan in fields.items()
        }

    def _evaluate(
        self,
        indexes: Iterable[int],
        find: Callable[[CompiledRule], list[Found]],
        facts: Mapping[str, Fact],
        at_us: int,
        *,
        counted: bool,
    ) -> list[RuleHit]:
        watch = self.watch if counted else None
        ways: dict[int, WayBack] = {}
        hits = []
        for index in indexes:
            compiled = self._compiled[index]
            began = perf_counter()
            found = [] if unmet(compiled.rule, facts, at_us) or compiled.spares(facts) else find(compiled)
            if watch is not None and (tally := watch.tallies.get(compiled.rule.id)) is not None:
                tally.candidates += 1
                tally.spent_s += perf_counter() - began
            if not found:
                continue
            alerts = self._may_alert(compiled, at_us, counted=counted)
            hits.append(hit_of(compiled, spans_of(found, ways), "active" if alerts else "shadow"))
        return sorted(hits, key=_most_urgent_first)

    def _may_alert(self, compiled: CompiledRule, at_us: int, *, counted: bool) -> bool:
        if self.watch is None:
            return compiled.rule.mode == "active"
        if counted:
            return self.watch.fired(compiled.rule, compiled.version, at_us)
        return compiled.rule.mode == "active" and not self.watch.silences(compiled.rule.id, compiled.version)

    def candidates(self, kind: Kind, scans: Iterable[Scan]) -> list[CompiledRule]:
        """The rules that could fire on these scans of this set, in no order; of messages the last one is the event."""
        if kind == "message":
            indexes = self._triggered_by_messages(tuple(scans))
        else:
            indexes = self._triggered_by_fields(scans)
        return [self._compiled[index] for index in indexes]

    def _triggered_by_messages(self, scans: Sequence[Scan]) -> set[int]:
        indexes: set[int] = set()
        if scans and scans[-1].hits:
            _collect(indexes, scans[-1], self._by_trigger["message"])
        if self._of_window:
            for scan in scans:
                _collect(indexes, scan, self._of_window)
        return indexes

    def _triggered_by_fields(self, scans: Iterable[Scan]) -> set[int]:
        indexes: set[int] = set()
        for scan in scans:
            _collect(indexes, scan, self._by_trigger["listing"])
        return indexes


def _collect(indexes: set[int], scan: Scan, triggers: _Triggers) -> None:
    for atom in scan.hits:
        if atom in triggers:
            indexes.update(triggers[atom])


def hit_of(compiled: CompiledRule, spans: tuple[Span, ...], mode: Literal["active", "shadow"]) -> RuleHit:
    """A rule's hit."""
    rule = compiled.rule
    return RuleHit(rule.id, compiled.version, rule.domain, rule.severity, rule.score, mode, spans)


def spans_of(found: Sequence[Found], ways: dict[int, WayBack]) -> tuple[Span, ...]:
    """Original places in reading order, without those that lie inside another."""
    if len(found) == 1:  # most hits
        part, view, start, end = found[0]
        return (Span(part.message_id, part.name, *_way_of(part.scan, ways).span(view, start, end)),)
    order: dict[tuple[str | None, str], int] = {}
    places: set[tuple[int, int, int, str | None, str]] = set()
    for part, view, start, end in found:
        way = _way_of(part.scan, ways)
        position = order.setdefault((part.message_id, part.name), len(order))
        first, last = way.span(view, start, end)
        places.add((position, first, -last, part.message_id, part.name))
    spans: list[Span] = []
    reached = (-1, 0)
    for position, first, minus_last, message_id, name in sorted(places, key=lambda place: place[:3]):
        if position == reached[0] and -minus_last <= reached[1]:
            continue
        reached = (position, -minus_last)
        spans.append(Span(message_id, name, first, -minus_last))
    return tuple(spans[:MAX_SPANS])


def _way_of(scan: Scan, ways: dict[int, WayBack]) -> WayBack:
    way = ways.get(id(scan))  # the scans outlive the evaluation, so the ids stay theirs
    if way is None:
        way = ways[id(scan)] = WayBack.of(scan.text[:MAX_CHARS], scan.views["safe"])
    return way


def _most_urgent_first(hit: RuleHit) -> tuple[int, str]:
    return -hit.score, hit.rule_id
