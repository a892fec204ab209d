"""The safety valve looked back on one event more than it counted: a rule exactly at its limit was set to shadow."""

from __future__ import annotations

from streams.rule_engine import RuleWatch
from streams.rule_engine.rule import Match
from streams.vocabulary import ValveLimits
from tests.unit.rule_engine.making import message_rule

RULE = message_rule(Match(any=("LINE",)))


def test_a_rule_at_its_limit_may_alert() -> None:
    """Three of ten events, with 0.3 allowed: hits of all ten were held against nine."""
    watch = RuleWatch(ValveLimits(max_share=0.3, over_events=14))
    alerts = []
    for number in range(10):
        watch.saw("message")
        if number in (0, 8, 9):
            alerts.append(watch.fired(RULE, "v", 0))
    assert alerts == [True, True, True]


def test_one_event_less_and_it_may_not() -> None:
    watch = RuleWatch(ValveLimits(max_share=0.3, over_events=14))
    for _ in range(9):
        watch.saw("message")
        alerts = watch.fired(RULE, "v", 0)
    assert not alerts
    (tripped,) = watch.news()
    assert (tripped.of_events, tripped.share) == (7, 1.0)
