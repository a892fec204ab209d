"""The tests inside a rule: example events that it must or must not fire on, run before a set goes live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.rule_engine.compiled import ScannedTurn
from streams.rule_engine.explain import Explanation, explain_rule
from streams.rule_engine.rule import Condition, Fact, Rule
from streams.rule_engine.ruleset import RuleSet, Span
from streams.rule_engine.underline import underlined

#: 2026-01-01T00:00:00Z: samples without a time of a rule without validity are judged at this time, always the same.
_SAMPLE_AT_US = 1_767_225_600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One example. `turns` are (writer, text) oldest first, for message rules; `fields` texts, for listing rules."""

    should_match: bool
    index: int
    line: int
    column: int
    turns: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, Fact], ...] = ()
    at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a rule fired on a sample, and which part of it decided."""

    sample: Sample
    explanation: Explanation

    @property
    def fired(self) -> bool:
        """Whether the rule fired."""
        return self.explanation.fires

    @property
    def passed(self) -> bool:
        """Whether it did what the sample says."""
        return self.fired == self.sample.should_match

    def headline(self) -> str:
        """What went wrong and which part decided: `tests.should_not_match[1] fired: match.any: "ライン" is found`."""
        sample, explained = self.sample, self.explanation
        name = f"tests.{'should_match' if sample.should_match else 'should_not_match'}[{sample.index}]"
        if not self.fired:
            return f"{name} did not fire: {explained.missing}"
        deciding = explained.clause.deciding()
        return f"{name} fired: {deciding.path}: {deciding.reason}"

    def shown(self) -> str:
        """The text with the places marked below it: オンライン授業 and on the next line ^ below each letter of ライン."""
        return "\n".join(self._shown())

    def _shown(self) -> list[str]:
        sample = self.sample
        named = dict(sample.fields) or {str(index): text for index, (_, text) in enumerate(sample.turns)}
        marked: dict[str, list[Span]] = {}
        for span in self.explanation.spans:
            marked.setdefault(span.message_id or span.field, []).append(span)
        shown = marked or {name: [] for name in list(named)[-1:]}  # nothing found: the event's own text
        return [
            line
            for name, spans in shown.items()
            for line in underlined(named[name], [(span.start, span.end) for span in spans])
        ]


def run_sample(rules: RuleSet, rule: Rule, sample: Sample) -> Outcome:
    """Ask the compiled set about a sample of one of its rules, which must not be off.

    Metadata that the rule asks for and the sample does not give is filled in with a value that the rule accepts, so
    that a sample tests the words, and a `should_not_match` does not pass for want of a price.
    """
    facts = accepted_facts(rule.when) | dict(sample.facts)
    at_us = sample.at_us if sample.at_us is not None else _valid_time_us(rule)
    compiled = rules.rule(rule.id)
    if rule.kind == "message":
        turns = [
            ScannedTurn(str(index), writer, rules.scan(text))
            for index, (writer, text) in enumerate(sample.turns)
        ]
        if turns:
            facts.setdefault("writer", turns[-1].writer)
        texts = compiled.message_parts(turns) if turns else []
    else:
        texts = [compiled.field_parts({name: rules.scan(text) for name, text in sample.fields})]
    return Outcome(sample, explain_rule(compiled, texts, facts, at_us))


def accepted_facts(when: Mapping[str, Condition]) -> dict[str, Fact]:
    """For each condition a value that meets it."""
    return {name: _accepted(condition) for name, condition in when.items()}


def _accepted(condition: Condition) -> Fact:
    if condition.one_of:
        return next(
            (value for value in condition.one_of if value not in condition.not_in), condition.one_of[0]
        )
    lows = [low for low in (condition.gte, condition.gt) if low is not None]
    highs = [high for high in (condition.lte, condition.lt) if high is not None]
    if lows and highs:
        return (max(lows) + min(highs)) / 2
    if lows:
        return max(lows) + 1
    if highs:
        return min(highs) - 1
    return "another value"  # `not_in` alone


def _valid_time_us(rule: Rule) -> int:
    if rule.valid_from_us is not None:
        return rule.valid_from_us
    if rule.valid_until_us is not None:
        return rule.valid_until_us - 1
    return _SAMPLE_AT_US
