"""Whether the metadata of an event is what a rule's `when` asks for."""

from __future__ import annotations

from collections.abc import Mapping

from streams.rule_engine.rule import Condition, Fact, Rule


def holds(condition: Condition, fact: Fact | None) -> bool:
    """Whether a value meets a condition. A missing value and one of the wrong type meet none."""
    if fact is None:
        return False
    if condition.one_of and not _among(fact, condition.one_of):
        return False
    if condition.not_in and _among(fact, condition.not_in):
        return False
    limits = (condition.lt, condition.lte, condition.gt, condition.gte)
    if all(limit is None for limit in limits):
        return True
    if isinstance(fact, bool | str):
        return False
    return (
        (condition.lt is None or fact < condition.lt)
        and (condition.lte is None or fact <= condition.lte)
        and (condition.gt is None or fact > condition.gt)
        and (condition.gte is None or fact >= condition.gte)
    )


def unmet(rule: Rule, facts: Mapping[str, Fact], at_us: int) -> tuple[str, ...]:
    """The names of the conditions that forbid the rule now, in the order written; empty if it may fire."""
    names = [name for name, condition in rule.when.items() if not holds(condition, facts.get(name))]
    if rule.valid_from_us is not None and at_us < rule.valid_from_us:
        names.append("valid_from")
    if rule.valid_until_us is not None and at_us >= rule.valid_until_us:
        names.append("valid_until")
    return tuple(names)


def _among(fact: Fact, values: tuple[Fact, ...]) -> bool:
    # True == 1.0 in Python, but a flag is no number
    return any(fact == value and isinstance(fact, bool) == isinstance(value, bool) for value in values)
