"""Conditions on metadata."""

from __future__ import annotations

import pytest

from streams.rule_engine.conditions import holds
from streams.rule_engine.rule import Condition, Fact


@pytest.mark.parametrize(
    ("condition", "fact", "expected"),
    [
        (Condition(one_of=("a", "b")), "b", True),
        (Condition(one_of=("a",)), "c", False),
        (Condition(one_of=("a",)), None, False),
        (Condition(not_in=("a",)), "b", True),
        (Condition(not_in=("a",)), "a", False),
        (Condition(not_in=("a",)), None, False),  # what is missing is unknown, not "another value"
        (Condition(lt=5), 4.9, True),
        (Condition(lt=5), 5.0, False),
        (Condition(lte=5), 5.0, True),
        (Condition(gt=5), 5.0, False),
        (Condition(gte=5, lt=6), 5.5, True),
        (Condition(gte=5, lt=6), 6.0, False),
        (Condition(gte=5), "6", False),
        (Condition(gte=0), True, False),  # a flag is no number
        (Condition(one_of=(1.0,)), True, False),
        (Condition(one_of=(True,)), True, True),
        (Condition(one_of=(True,)), 1.0, False),
        (Condition(one_of=(5.0,)), 5, True),
        (Condition(gte=float("nan")), 5.0, False),
    ],
)
def test_holds(condition: Condition, fact: Fact | None, expected: bool) -> None:
    assert holds(condition, fact) is expected
