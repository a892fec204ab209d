"""A compiled set of rules: texts go in once, events are judged on what was found in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from streams.rule_engine.conditions import unmet
from streams.rule_engine.match_tree import Covered, Found, Node, Part, compile_match, views_used
from streams.rule_engine.rule import Fact, Rule, View, rules_version
from streams.rule_engine.scan import Atom, Scan, Scanner, Vocabulary
from streams.rule_engine.views import MAX_CHARS, WayBack
from streams.vocabulary import Kind

#: Places shown for one hit: what a moderator can take in. More are of no use and would bloat the alert.
MAX_SPANS = 20


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the original text of a message (`field` "text") or of a listing's field; `end` is exclusive."""

    message_id: str | None
    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that fired. In mode `shadow` it is recorded and raises no alert."""

    rule_id: str
    rule_version: str
    domain: str
    severity: str
    score: int
    mode: Literal["active", "shadow"]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class ScannedTurn:
    """A message of a conversation with its scan."""

    message_id: str
    writer: str
    scan: Scan


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a rule whose words were found made of an event: it fired unless `unmet` names a condition."""

    hit: RuleHit
    unmet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    version: str
    node: Node
    exceptions: Mapping[View, frozenset[Atom]]

    def parts(self, texts: Iterable[tuple[str | None, str, Scan]]) -> list[Part]:
        """The texts with the places of the rule's exception phrases."""
        parts = []
        for message_id, name, scan in texts:
            excepted = {
                view: Covered([place for atom in atoms & scan.hits.keys() for place in scan.hits[atom]])
                for view, atoms in self.exceptions.items()
            }
            parts.append(Part(message_id, name, scan, excepted))
        return parts


class RuleSet:
    """Rules that can be asked. Not changed after it is made; swap it by one assignment.

    Rules in mode `off` are kept for their version and never asked. Raises `BadRegex` for a pattern that does not
    compile and ValueError for a word of which nothing is left in its view; the checker reports both with their place.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: rule.id))
        self.version = rules_version(self.rules)
        vocabulary = Vocabulary()
        self._compiled: list[_Compiled] = [
            _compile(rule, vocabulary) for rule in self.rules if rule.mode != "off"
        ]
        self._by_trigger: dict[Kind, dict[Atom, tuple[int, ...]]] = {"message": {}, "listing": {}}
        for index, compiled in enumerate(self._compiled):
            triggered = self._by_trigger[compiled.rule.kind]
            for atom in compiled.node.triggers:
                triggered[atom] = (*triggered.get(atom, ()), index)
        self._scanner = Scanner(vocabulary, self.version)

    def scan(self, text: str) -> Scan:
        """Look through one text, once for all rules. Any string is allowed; 10,000 characters are read."""
        return self._scanner.scan(text)

    def evaluate_message(
        self, turns: Sequence[ScannedTurn], facts: Mapping[str, Fact], *, at_us: int
    ) -> list[RuleHit]:
        """The rules that fire on a message: `turns` oldest first, the last one is the event.

        `facts` are the event's (`status`, `writer`, `sender_id`). A scan made by another rule set is made again.
        """
        return [seen.hit for seen in self.explain_message(turns, facts, at_us=at_us, only_fired=True)]

    def evaluate_listing(
        self, fields: Mapping[str, Scan], facts: Mapping[str, Fact], *, at_us: int
    ) -> list[RuleHit]:
        """The rules that fire on a listing: `fields` are `title` and `description`."""
        return [seen.hit for seen in self.explain_listing(fields, facts, at_us=at_us, only_fired=True)]

    def explain_message(
        self, turns: Sequence[ScannedTurn], facts: Mapping[str, Fact], *, at_us: int, only_fired: bool = False
    ) -> list[Explanation]:
        """The rules whose words were found, and which conditions kept them from firing."""
        if not turns:
            return []
        turns = [turn if turn.scan.version == self.version else self._again(turn) for turn in turns]
        ways: dict[int, WayBack] = {}
        seen = []
        for compiled in self._candidates("message", [turn.scan for turn in turns]):
            missing = unmet(compiled.rule, facts, at_us)
            if missing and only_fired:
                continue
            found: list[Found] = []
            for turn in _in_window(compiled.rule, turns):  # each message by itself
                found += compiled.node.find(compiled.parts([(turn.message_id, "text", turn.scan)]))
            if found:
                seen.append(Explanation(_hit(compiled, found, ways), missing))
        return sorted(seen, key=_most_urgent_first)

    def explain_listing(
        self, fields: Mapping[str, Scan], facts: Mapping[str, Fact], *, at_us: int, only_fired: bool = False
    ) -> list[Explanation]:
        """The same for a listing: its fields are read together."""
        scans = {
            name: scan if scan.version == self.version else self.scan(scan.text)
            for name, scan in fields.items()
        }
        ways: dict[int, WayBack] = {}
        seen = []
        for compiled in self._candidates("listing", scans.values()):
            missing = unmet(compiled.rule, facts, at_us)
            if missing and only_fired:
                continue
            wanted = compiled.rule.fields or tuple(scans)
            parts = compiled.parts((None, name, scan) for name, scan in scans.items() if name in wanted)
            if found := compiled.node.find(parts):
                seen.append(Explanation(_hit(compiled, found, ways), missing))
        return sorted(seen, key=_most_urgent_first)

    def _again(self, turn: ScannedTurn) -> ScannedTurn:
        return ScannedTurn(turn.message_id, turn.writer, self.scan(turn.scan.text))

    def _candidates(self, kind: Kind, scans: Iterable[Scan]) -> list[_Compiled]:
        triggered = self._by_trigger[kind]
        indexes: set[int] = set()
        for scan in scans:
            for atom in scan.hits:
                if atom in triggered:
                    indexes.update(triggered[atom])
        return [self._compiled[index] for index in indexes]


def _compile(rule: Rule, vocabulary: Vocabulary) -> _Compiled:
    node = compile_match(rule.match, vocabulary)
    exceptions: dict[View, frozenset[Atom]] = {}
    if rule.except_phrases:
        for view in sorted(views_used(rule.match)):
            exceptions[view] = frozenset(vocabulary.word(view, phrase) for phrase in rule.except_phrases)
    return _Compiled(rule, rule.version(), node, exceptions)


def _in_window(rule: Rule, turns: Sequence[ScannedTurn]) -> Sequence[ScannedTurn]:
    window = rule.window
    if window.scope == "last":
        return turns[-1:]
    writer = turns[-1].writer
    return [turn for turn in turns[-window.messages :] if not window.same_writer or turn.writer == writer]


def _hit(compiled: _Compiled, found: Sequence[Found], ways: dict[int, WayBack]) -> RuleHit:
    rule = compiled.rule
    assert rule.mode != "off", "rules that are off are not compiled"
    return RuleHit(
        rule.id, compiled.version, rule.domain, rule.severity, rule.score, rule.mode, _spans(found, ways)
    )


def _spans(found: Sequence[Found], ways: dict[int, WayBack]) -> tuple[Span, ...]:
    """Original places in reading order, without those that lie inside another."""
    order: dict[tuple[str | None, str], int] = {}
    places: set[tuple[int, int, int, str | None, str]] = set()
    for part, view, start, end in found:
        way = ways.get(id(part.scan))  # the scans outlive this call, so the ids stay theirs
        if way is None:
            way = ways[id(part.scan)] = WayBack.of(part.scan.text[:MAX_CHARS], part.scan.views["safe"])
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


def _most_urgent_first(seen: Explanation) -> tuple[int, str]:
    return -seen.hit.score, seen.hit.rule_id
