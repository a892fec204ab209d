"""Keyword rules: text views, the rule language, one scan for all rules, and what fires on an event."""

from streams.rule_engine.ruleset import Explanation, RuleHit, RuleSet, ScannedTurn, Span
from streams.rule_engine.scan import Scan

__all__ = ["Explanation", "RuleHit", "RuleSet", "Scan", "ScannedTurn", "Span"]
