"""Short ways to make rules and conversations in tests."""

from __future__ import annotations

from typing import Any

from streams.rule_engine import RuleHit, RuleSet, ScannedTurn
from streams.rule_engine.rule import Fact, Match, Rule


def message_rule(match: Match, **changes: Any) -> Rule:
    """An active message rule."""
    settled: dict[str, Any] = {
        "id": "test.rule",
        "description": "made for a test",
        "domain": "contact_exchange",
        "kind": "message",
        "severity": "medium",
        "mode": "active",
    }
    return Rule(match=match, **(settled | changes))


def listing_rule(match: Match, **changes: Any) -> Rule:
    """An active listing rule."""
    return message_rule(match, **({"kind": "listing", "domain": "counterfeit"} | changes))


def say(rules: RuleSet, *said: str | tuple[str, str], at_us: int = 0, **facts: Fact) -> list[RuleHit]:
    """What fires on the last message; each is a text (by the buyer) or (writer, text)."""
    pairs = [("buyer", one) if isinstance(one, str) else one for one in said]
    turns = [ScannedTurn(f"m{index}", writer, rules.scan(text)) for index, (writer, text) in enumerate(pairs)]
    return rules.evaluate_message(turns, facts, at_us=at_us)


def offer(rules: RuleSet, title: str, description: str = "", at_us: int = 0, **facts: Fact) -> list[RuleHit]:
    """What fires on a listing."""
    fields = {"title": rules.scan(title), "description": rules.scan(description)}
    return rules.evaluate_listing(fields, facts, at_us=at_us)
