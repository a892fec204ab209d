"""Counts by rule and the safety valve, driven by events."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from streams.rule_engine import RuleSet, RuleWatch, ScannedTurn
from streams.rule_engine.rule import Match
from streams.vocabulary import ValveLimits
from tests.unit.rule_engine.making import listing_rule, message_rule, say

_RULE = message_rule(Match(any=("LINE",)), owner="me")


def test_counts() -> None:
    watch = RuleWatch()
    idle = message_rule(Match(any=("never",)), id="idle")
    rules = RuleSet([_RULE, idle, message_rule(Match(any=("LINE",)), id="s", mode="shadow")], watch=watch)
    watch.follow(rules.rules)
    say(rules, "LINE", at_us=5)
    say(rules, "ok")
    say(rules, "LINE", at_us=9)
    tally = watch.tallies["test.rule"]
    assert (tally.candidates, tally.hits, tally.alerts, tally.last_hit_us) == (2, 2, 2, 9)
    assert tally.spent_s > 0
    assert (watch.tallies["s"].hits, watch.tallies["s"].alerts) == (2, 0)
    assert (watch.tallies["idle"].hits, watch.tallies["idle"].last_hit_us) == (0, None)
    assert watch.events == {"message": 3, "listing": 0}


def test_counts_survive_a_swap_and_go_with_the_rule() -> None:
    watch = RuleWatch()
    rules = RuleSet([_RULE, message_rule(Match(any=("LINE",)), id="gone")], watch=watch)
    watch.follow(rules.rules)
    say(rules, "LINE")
    watch.follow((_RULE,))
    assert list(watch.tallies) == ["test.rule"]
    assert watch.tallies["test.rule"].hits == 1


def test_nothing_happens_before_half_the_events_were_seen() -> None:
    watch = RuleWatch(ValveLimits(max_share=0.1, over_events=100))
    rules = RuleSet([_RULE], watch=watch)
    modes = [say(rules, "LINE")[0].mode for _ in range(60)]
    assert modes == ["active"] * 49 + ["shadow"] * 11
    (tripped,) = watch.news()
    assert (tripped.rule_id, tripped.owner, tripped.share, tripped.of_events) == ("test.rule", "me", 1.0, 50)
    assert watch.news() == []


def test_only_the_last_events_count() -> None:
    watch = RuleWatch(ValveLimits(max_share=0.5, over_events=100))
    rules = RuleSet([_RULE], watch=watch)
    for _ in range(40):
        say(rules, "LINE")
    for _ in range(1000):
        say(rules, "ok")
    modes = [say(rules, "LINE")[0].mode for _ in range(100)]
    assert "shadow" in modes
    assert modes.index("shadow") > 40, "the old hits are forgotten"


def test_events_of_the_other_kind_do_not_count() -> None:
    watch = RuleWatch(ValveLimits(max_share=0.5, over_events=100))
    rules = RuleSet([_RULE, listing_rule(Match(any=("LINE",)), id="listing")], watch=watch)
    for _ in range(60):
        rules.evaluate_listing({"title": rules.scan("ok")}, {}, at_us=0)
    assert say(rules, "LINE")[0].mode == "active"


def test_an_event_judged_once_more_is_not_counted_and_a_silenced_rule_stays_silent() -> None:
    """Reports bring what violates: counted, a rule would soon seem to fire on everything."""
    watch = RuleWatch(ValveLimits(max_share=0.1, over_events=100))
    rules = RuleSet([_RULE, listing_rule(Match(any=("LINE",)), id="listing")], watch=watch)
    watch.follow(rules.rules)

    def again() -> tuple[str, str]:
        scan = rules.scan("LINE")
        turn = ScannedTurn("m", "buyer", scan)
        (message,) = rules.evaluate_message([turn], {}, at_us=0, counted=False)
        (listing,) = rules.evaluate_listing({"title": scan}, {}, at_us=0, counted=False)
        return message.mode, listing.mode

    assert {again() for _ in range(100)} == {("active", "active")}
    assert watch.events == {"message": 0, "listing": 0}
    assert watch.tallies["test.rule"].hits == watch.tallies["test.rule"].candidates == 0
    for _ in range(60):
        say(rules, "LINE")
    assert again() == ("shadow", "active")


@given(st.lists(st.booleans(), max_size=300), st.integers(10, 80))
@example([True, *[False] * 7, True, True], 14)
def test_a_rule_under_the_limit_is_never_silenced(fires: list[bool], over: int) -> None:
    """Whatever the order: as long as no stretch of events has more hits than allowed, every hit may alert."""
    limits = ValveLimits(max_share=0.3, over_events=over)
    watch = RuleWatch(limits)
    quiet = True
    for index, fired in enumerate(fires):
        watch.saw("message")
        seen = fires[: index + 1]
        quiet = quiet and all(
            sum(seen[-length:]) <= 0.3 * length for length in range(over // 2, len(seen) + 1)
        )
        if fired and quiet:
            assert watch.fired(_RULE, "v", 0)


def test_without_a_watch_nothing_is_counted() -> None:
    assert say(RuleSet([_RULE]), "LINE")[0].mode == "active"
