"""When an adaptive budget acts, by how much, and what its decisions hold for."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.budgets.adaptive import (
    LONGEST_STEP_H,
    MOST_PER_HOUR,
    Step,
    Waiting,
    next_threshold,
    wanted_alerts,
)
from streams.budgets.decided import (
    Because,
    Decided,
    Decisions,
    decode,
    encode,
    key_of,
    moved_roles,
    thresholds_of,
)
from streams.budgets.deciding import consider
from streams.budgets.rolling_day import RollingDay, rolling_day, weights
from streams.events import LATEST_US
from streams.policy import Domain, ModelRef, Trial, policy_of
from streams.statistics.bins import bin_of, events_from, score_at
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US, AlertCounts, InputCounts, ScoreCounts
from streams.statistics.records import encode as encode_counts

CHAMPION = ModelRef("message_harassment", 3, 0.9)
CHALLENGER = ModelRef("message_harassment", 4, 0.8)
DOMAIN = Domain(
    "harassment", "Insults", "message", "high", CHAMPION, alerts_per_day=500, budget_mode="adaptive"
)
#: 1,000 events a bin, 64 bins on either side of a score of one half.
EVEN = dict.fromkeys(range(-64, 64), 1000.0)
DAY = RollingDay(whole=True, events=128_000, by_rules=100, by_models=400, scored=128_000, alone=EVEN)


def step(
    day: RollingDay, *, standing: float = 0.9, hours: float = 1.0, domain: Domain = DOMAIN
) -> Step | Waiting:
    return next_threshold(day, domain, standing=standing, hours_since=hours, most_share=0.1)


def test_a_step_goes_towards_what_rules_leave_of_the_budget() -> None:
    found = step(DAY, standing=score_at(63.5))
    assert isinstance(found, Step)
    assert found.wanted == 400
    assert found.before == pytest.approx(500)
    assert found.expected == pytest.approx(500 / MOST_PER_HOUR**LONGEST_STEP_H)
    assert found.threshold > score_at(63.5)


@given(st.floats(0.001, 0.999), st.floats(0, 48), st.floats(0, 600))
def test_no_step_is_longer_than_the_bound_however_long_ago_the_last_was(
    standing: float, hours: float, by_rules: float
) -> None:
    found = step(replace(DAY, by_rules=by_rules), standing=standing, hours=hours)
    if isinstance(found, Step):
        factor = MOST_PER_HOUR**LONGEST_STEP_H * (1 + 1e-6)
        before = max(found.before, 0.1 * found.wanted)
        assert found.before / factor <= found.expected <= before * factor
        assert abs(events_from(EVEN, found.threshold) - found.expected) <= 1e-3 * found.expected + 1e-3


def test_steps_end_where_the_budget_is_met() -> None:
    standing = 0.95
    for _ in range(500):
        found = step(DAY, standing=standing)
        if isinstance(found, Waiting):
            break
        standing = found.threshold
    assert found == Waiting("the threshold is as it should be")
    assert events_from(EVEN, standing) == pytest.approx(400, rel=0.025)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (replace(DAY, whole=False), "whole day"),
        (replace(DAY, scored=999), "999 events"),
        (replace(DAY, scored=6_000), "5% of the day"),
    ],
)
def test_when_it_does_not_act(day: RollingDay, reason: str) -> None:
    found = step(day)
    assert isinstance(found, Waiting)
    assert reason in found.reason


def test_a_version_that_has_scored_half_a_day_is_measured_by_half_the_budget() -> None:
    assert wanted_alerts(replace(DAY, scored=64_000), DOMAIN) == 200


def test_side_by_side_each_takes_half_and_a_canary_the_whole() -> None:
    beside = replace(DOMAIN, challenger=CHALLENGER)
    canary = replace(beside, trial=Trial("canary", 0.1))
    assert wanted_alerts(DAY, beside) == 200
    assert wanted_alerts(DAY, canary) == 400


def test_a_budget_larger_than_a_tenth_of_the_traffic_does_not_alert_on_more() -> None:
    found = step(replace(DAY, by_rules=0), domain=replace(DOMAIN, alerts_per_day=1_000_000))
    assert isinstance(found, Step)
    assert found.wanted == pytest.approx(12_800)


def test_a_domain_without_a_budget_wants_nothing() -> None:
    assert wanted_alerts(DAY, replace(DOMAIN, alerts_per_day=None)) == 0
    assert wanted_alerts(RollingDay(), DOMAIN) == 0


# What a decision holds for


def decided(threshold: float = 0.7, **changes: object) -> Decided:
    fields: dict[str, object] = {
        "domain": "harassment",
        "role": "champion",
        "model": CHAMPION.model,
        "version": CHAMPION.version,
        "written": CHAMPION.threshold,
        "threshold": threshold,
        "decided_at_us": 1_000,
        "because": Because(
            alerts_per_day=500, by_rules=1, events=2, scored=3, wanted=4, before=5, expected=6
        ),
        **changes,
    }
    return Decided(**fields)  # type: ignore[arg-type]


def with_(*records: Decided) -> Decisions:
    decisions = Decisions()
    for record in records:
        decisions.fold(encode(record))
    return decisions


def test_a_decided_threshold_takes_the_written_ones_place_and_the_policy_keeps_its_version() -> None:
    policy = policy_of({"harassment": DOMAIN})
    applied = with_(decided()).applied_to(policy)
    assert thresholds_of(applied) == {("harassment", "champion"): 0.7}
    assert applied.version == policy.version
    assert thresholds_of(policy) == {("harassment", "champion"): 0.9}


@pytest.mark.parametrize(
    "domain",
    [
        replace(DOMAIN, champion=replace(CHAMPION, version=4)),
        replace(DOMAIN, champion=replace(CHAMPION, threshold=0.91)),
        replace(DOMAIN, champion=replace(CHAMPION, model="message_other")),
        replace(DOMAIN, budget_mode="fixed"),
    ],
)
def test_another_model_version_or_a_changed_file_goes_back_to_the_written_threshold(domain: Domain) -> None:
    policy = policy_of({"harassment": domain})
    assert with_(decided()).applied_to(policy) == policy


def test_champion_and_challenger_have_each_their_own() -> None:
    both = replace(DOMAIN, challenger=CHALLENGER)
    of_challenger = decided(0.6, role="challenger", version=4, written=0.8)
    applied = with_(decided(), of_challenger).applied_to(policy_of({"harassment": both}))
    assert thresholds_of(applied) == {("harassment", "champion"): 0.7, ("harassment", "challenger"): 0.6}
    assert key_of(of_challenger) != key_of(decided())


def test_a_shadows_threshold_is_not_moved() -> None:
    both = replace(DOMAIN, challenger=CHALLENGER)
    assert list(moved_roles(both)) == ["champion", "challenger"]
    assert list(moved_roles(replace(both, trial=Trial("shadow")))) == ["champion"]
    assert list(moved_roles(replace(both, budget_mode="fixed"))) == []


def test_workers_with_the_old_file_keep_its_threshold_while_a_new_one_is_rolled_out() -> None:
    of_the_new = decided(0.951, version=4, written=0.95, decided_at_us=2_000)
    decisions = with_(decided(), of_the_new)
    new = replace(DOMAIN, champion=ModelRef(CHAMPION.model, 4, 0.95))
    assert thresholds_of(decisions.applied_to(policy_of({"harassment": DOMAIN}))) == {
        ("harassment", "champion"): 0.7
    }
    assert decisions.of(new, "champion") == of_the_new
    assert key_of(of_the_new) != key_of(decided()), "compaction keeps both"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_every_worker_takes_the_same_whatever_the_order(
    made: list[tuple[int, float]], order: random.Random
) -> None:
    records = [decided(threshold, decided_at_us=at_us) for at_us, threshold in made]
    shuffled = [*records, *order.choices(records, k=2)]
    order.shuffle(shuffled)
    newest = max(records, key=lambda record: (record.decided_at_us, record.threshold))
    assert with_(*shuffled).of(DOMAIN, "champion") == newest


def test_what_this_engine_did_not_write_is_counted_and_passed_over() -> None:
    decisions = with_(decided())
    deep = b'{"format":1,"zzz":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    for value in (
        None,
        b"",
        b"{}",
        b'{"domain":"\xff"}',
        deep,
        encode(decided(threshold=1.5)),
        encode(decided(role="judge")),
        encode(decided(decided_at_us=LATEST_US + 1)),
        encode(decided(decided_at_us=-1)),
    ):
        decisions.fold(value)
    assert decisions.unreadable == 8
    assert decisions.of(DOMAIN, "champion") == decided()
    assert decode(encode(decided())) == decided()


# From counts


HOUR = 490_000


def book_of(hours: range, *, version: int = 3) -> StatisticsBook:
    book = StatisticsBook()
    for hour in hours:
        for counts in (
            ScoreCounts(
                instance="a", hour=hour, domain="harassment", model="message_harassment", version=version,
                role="champion", alone={bin_of(0.95): 100, bin_of(0.1): 4900}, with_rule={bin_of(0.99): 10},
            ),
            AlertCounts(instance="a", hour=hour, domain="harassment", by_rules=10, by_models=100),
            InputCounts(instance="a", hour=hour, kind="message", facts={"events": 5010}),
        ):  # fmt: skip
            book.fold(encode_counts(counts))
    return book


def test_the_oldest_hour_counts_for_what_is_left_of_it() -> None:
    found = weights((HOUR * HOUR_US) + HOUR_US // 4)
    assert len(found) == 25
    assert (found[HOUR], found[HOUR - 23], found[HOUR - 24]) == (1.0, 1.0, 0.75)
    # a quarter of the newest hour has come yet, so the hours that count are 24
    assert sum(found.values()) - 0.75 == 24.0


def test_a_rolling_day_is_summed_from_the_hours() -> None:
    now_us = (HOUR + 1) * HOUR_US - 1
    day = rolling_day(book_of(range(HOUR - 40, HOUR + 1)), DOMAIN, CHAMPION, now_us=now_us)
    assert day.whole
    assert day.by_rules == pytest.approx(240)
    assert day.by_models == pytest.approx(2400)
    assert day.events == pytest.approx(24 * 5010)
    assert day.scored == pytest.approx(24 * 5010)
    assert day.alone[bin_of(0.95)] == pytest.approx(2400)


def test_a_day_is_not_whole_until_24_hours_are_counted() -> None:
    now_us = (HOUR + 1) * HOUR_US - 1
    for first, whole in ((HOUR - 23, False), (HOUR - 24, True)):
        day = rolling_day(book_of(range(first, HOUR + 1)), DOMAIN, CHAMPION, now_us=now_us)
        assert day.whole is whole


def test_what_is_decided_says_its_numbers_and_two_deciders_say_the_same() -> None:
    book, policy = book_of(range(HOUR - 40, HOUR + 1)), policy_of({"harassment": DOMAIN})
    now_us = (HOUR + 1) * HOUR_US - 1
    (one,) = consider(policy, book, Decisions(), now_us=now_us)
    assert isinstance(one.outcome, Decided)
    assert one.outcome.threshold > 0.9
    assert one.outcome.because == Because(
        alerts_per_day=500,
        by_rules=240,
        events=120_240,
        scored=120_240,
        wanted=260,
        before=2400,
        expected=2320.3,
    )
    assert list(consider(policy, book, Decisions(), now_us=now_us)) == [one]


def test_the_next_decision_goes_on_from_the_last() -> None:
    book, policy = book_of(range(HOUR - 40, HOUR + 1)), policy_of({"harassment": DOMAIN})
    now_us = (HOUR + 1) * HOUR_US - 1
    (first,) = consider(policy, book, Decisions(), now_us=now_us)
    assert isinstance(first.outcome, Decided)
    (second,) = consider(policy, book, with_(first.outcome), now_us=now_us + 60_000_000)
    # a minute later only a minute's step is allowed, and that is not worth a change
    assert isinstance(second.outcome, Waiting)


def test_a_version_that_nobody_has_scored_with_keeps_what_is_written() -> None:
    book, policy = book_of(range(HOUR - 40, HOUR + 1), version=2), policy_of({"harassment": DOMAIN})
    (one,) = consider(policy, book, with_(decided(version=2)), now_us=(HOUR + 1) * HOUR_US - 1)
    assert isinstance(one.outcome, Waiting)


def test_a_clock_that_ran_ahead_does_not_stop_the_budget() -> None:
    book, policy = book_of(range(HOUR - 40, HOUR + 1)), policy_of({"harassment": DOMAIN})
    now_us = (HOUR + 1) * HOUR_US - 1
    last = decided(0.9, decided_at_us=now_us + 48 * HOUR_US)
    (one,) = consider(policy, book, with_(last), now_us=now_us)
    assert isinstance(one.outcome, Decided)
    decisions = with_(last, one.outcome)
    assert decisions.of(DOMAIN, "champion") == one.outcome
