"""The tests inside a rule: example events that it must or must not fire on, run before a set goes live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.rule_engine.rule import Condition, Fact, Rule
from streams.rule_engine.ruleset import RuleSet, ScannedTurn, Span

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
    """Whether a rule fired on a sample, and on which places."""

    sample: Sample
    fired: bool
    spans: tuple[Span, ...]

    @property
    def passed(self) -> bool:
        """Whether it did what the sample says."""
        return self.fired == self.sample.should_match

    def describe(self) -> str:
        """What went wrong, with the text and the place in 「」: `tests.should_not_match[1] fired: オン「ライン」授業`."""
        sample = self.sample
        name = f"tests.{'should_match' if sample.should_match else 'should_not_match'}[{sample.index}]"
        texts = [text for _, text in sample.turns or sample.fields]
        if not self.fired:
            return f"{name} did not fire: {_short(' / '.join(texts))}"
        named = dict(sample.fields) or {str(index): text for index, (_, text) in enumerate(sample.turns)}
        span = self.spans[0]
        text = named[span.message_id or span.field]
        marked = f"{text[max(0, span.start - 20) : span.start]}「{text[span.start : span.end]}」{text[span.end : span.end + 20]}"
        return f"{name} fired: {marked}"


def run_sample(rules: RuleSet, rule: Rule, sample: Sample) -> Outcome:
    """Ask the compiled set about a sample; only the rule's own hit counts.

    Metadata that the rule asks for and the sample does not give is filled in with a value that the rule accepts, so
    that a sample tests the words, and a `should_not_match` does not pass for want of a price.
    """
    facts = accepted_facts(rule.when) | dict(sample.facts)
    at_us = sample.at_us if sample.at_us is not None else _valid_time_us(rule)
    if rule.kind == "message":
        turns = [
            ScannedTurn(str(index), writer, rules.scan(text))
            for index, (writer, text) in enumerate(sample.turns)
        ]
        if turns:
            facts.setdefault("writer", turns[-1].writer)
        hits = rules.evaluate_message(turns, facts, at_us=at_us)
    else:
        scans = {name: rules.scan(text) for name, text in sample.fields}
        hits = rules.evaluate_listing(scans, facts, at_us=at_us)
    hit = next((hit for hit in hits if hit.rule_id == rule.id), None)
    return Outcome(sample, hit is not None, hit.spans if hit else ())


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


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
