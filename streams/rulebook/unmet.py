"""Conditions of a rule that an event does not meet, as sentences: what the event has, what the rule asks for (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from streams.rule_engine.rule import Condition, Fact, Rule


def unmet_sentence(name: str, rule: Rule, facts: Mapping[str, Fact]) -> str:
    """One of the names in `Explanation.unmet` as a sentence. `facts` are the event's."""
    if name == "except.writers":
        return "except: who wrote it is excepted"
    if name == "valid_from":
        return f"valid_from: begins {_utc(rule.valid_from_us)}"
    if name == "valid_until":
        return f"valid_until: ended {_utc(rule.valid_until_us)}"
    has = f"it is {_shown(facts[name])}" if name in facts else "the event does not say"
    return f"when.{name}: {has}; the rule asks for {_wanted(rule.when[name])}"


def _wanted(condition: Condition) -> str:
    limits = {
        "over": condition.gt,
        "at least": condition.gte,
        "under": condition.lt,
        "at most": condition.lte,
    }
    parts = [f"{word} {_shown(limit)}" for word, limit in limits.items() if limit is not None]
    if condition.one_of:
        parts.append(" or ".join(map(_shown, condition.one_of)))
    if condition.not_in:
        parts.append(f"not {' or '.join(map(_shown, condition.not_in))}")
    return " and ".join(parts)


def _shown(fact: Fact) -> str:
    if isinstance(fact, bool):
        return "true" if fact else "false"
    return f"{fact:,.15g}" if isinstance(fact, float | int) else fact


def _utc(at_us: int | None) -> str:
    assert at_us is not None, "a time that was not written keeps no rule from firing"
    return datetime.fromtimestamp(at_us / 1e6, tz=UTC).isoformat(timespec="seconds")
