"""Keyword rules: text views, the rule language, one scan for all rules, and what fires on an event."""

from streams.rule_engine.compiled import ScannedTurn
from streams.rule_engine.explain import Explanation, explain_listing, explain_message
from streams.rule_engine.ruleset import RuleHit, RuleSet, Span
from streams.rule_engine.scan import Scan
from streams.rule_engine.watch import RuleWatch

__all__ = [
    "Explanation",
    "RuleHit",
    "RuleSet",
    "RuleWatch",
    "Scan",
    "ScannedTurn",
    "Span",
    "explain_listing",
    "explain_message",
]
