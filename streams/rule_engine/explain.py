"""What every rule made of one event: fired where, or kept from firing by what. For people, not for the stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from streams.rule_engine.compiled import CompiledRule, ScannedTurn
from streams.rule_engine.conditions import unmet
from streams.rule_engine.decision import Clause, decide
from streams.rule_engine.match_tree import Found, Part
from streams.rule_engine.rule import Fact, Rule
from streams.rule_engine.ruleset import RuleSet, Span, spans_of
from streams.rule_engine.scan import Scan
from streams.vocabulary import Kind

#: The texts that a rule reads of the event, those read together in one list.
_Texts: TypeAlias = Callable[[CompiledRule], Sequence[list[Part]]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule whose words were found. It fired if the clause matched and `unmet` names no condition.

    `spans` are the places of the match, or those of what was found of it.
    """

    rule: Rule
    rule_version: str
    unmet: tuple[str, ...]
    clause: Clause
    spans: tuple[Span, ...]

    @property
    def fires(self) -> bool:
        """Whether the rule fired."""
        return self.clause.matched and not self.unmet

    @property
    def missing(self) -> str:
        """What kept it from firing, for a person; empty if it fired."""
        reasons = [
            f"when: {name}" if not name.startswith(("valid_", "except.")) else name for name in self.unmet
        ]
        if not self.clause.matched:
            deciding = self.clause.deciding()
            reasons.append(f"{deciding.path}: {deciding.reason}")
        return "; ".join(reasons)


def explain_message(
    rules: RuleSet, turns: Sequence[ScannedTurn], facts: Mapping[str, Fact], *, at_us: int
) -> list[Explanation]:
    """The rules of which some word is in a message or its window: those that fired first, then the near misses."""
    if not turns:
        return []
    own = rules.own_turns(turns)
    return _explain(rules, "message", facts, at_us, lambda compiled: compiled.message_parts(own))


def explain_listing(
    rules: RuleSet, fields: Mapping[str, Scan], facts: Mapping[str, Fact], *, at_us: int
) -> list[Explanation]:
    """The same for a listing."""
    own = rules.own_fields(fields)
    return _explain(rules, "listing", facts, at_us, lambda compiled: [compiled.field_parts(own)])


def explain_rule(
    compiled: CompiledRule, texts: Sequence[list[Part]], facts: Mapping[str, Fact], at_us: int
) -> Explanation:
    """What one rule made of an event. `texts` are those read together, each list by itself."""
    clauses = [decide(compiled.rule.match, compiled.node, parts) for parts in texts]
    matched = [clause for clause in clauses if clause.matched]
    # the newest message that matched, or else the one that came nearest
    best = (
        matched[-1]
        if matched
        else max(clauses, key=_nearness, default=Clause("match", False, "no text to read"))
    )
    missing = unmet(compiled.rule, facts, at_us)
    if compiled.spares(facts):
        missing = (*missing, "except.writers")
    found = [place for clause in matched for place in clause.found] or list(_partial(best))
    return Explanation(compiled.rule, compiled.version, missing, best, spans_of(found, {}))


def _explain(
    rules: RuleSet, kind: Kind, facts: Mapping[str, Fact], at_us: int, texts: _Texts
) -> list[Explanation]:
    seen = []
    for compiled in rules.compiled:
        if compiled.rule.kind != kind:
            continue
        explained = explain_rule(compiled, texts(compiled), facts, at_us)
        if explained.clause.matched or explained.clause.touched:
            seen.append(explained)
    return sorted(seen, key=lambda one: (not one.fires, not one.clause.matched, -one.rule.score, one.rule.id))


def _nearness(clause: Clause) -> tuple[int, bool]:
    return sum(child.matched for child in clause.children), clause.touched


def _partial(clause: Clause) -> Sequence[Found]:
    """Places of the items that were found although the whole was not, or of what excluded it."""
    return clause.found or tuple(place for child in clause.children for place in _partial(child))
