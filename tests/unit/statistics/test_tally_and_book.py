"""From events to the sum of all workers' counts, and that the sum is the same however the records come."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerts import ModelEvidence, RuleEvidence, Screened, Subject
from streams.events import Position
from streams.statistics.bins import HIGHEST_BIN, LOWEST_BIN, bin_of
from streams.statistics.book import StatisticsBook
from streams.statistics.records import (
    HOUR_US,
    AlertCounts,
    Counts,
    InputCounts,
    ScoreCounts,
    decode,
    encode,
    key_of,
    summed,
)
from streams.statistics.tally import KEPT_HOURS, Tally

HOUR = 490_000


def event(number: int = 1, *, rules: Sequence[str] = (), mode: str = "active") -> Screened:
    return Screened(
        subject=Subject(
            "message", "t1", (("message_id", f"m{number}"), ("transaction_id", "t1")), content_hash="c"
        ),
        position=Position("messages", 0, number),
        event_at_us=0,
        notes=(),
        rules=tuple(
            RuleEvidence(domain, "r.one", "v", mode, "high", 1, ())  # type: ignore[arg-type]
            for domain in rules
        ),
        shown={"status": None, "messages": [{"message_id": "m", "writer": "buyer", "text": "はい"}]},
        ruleset="r",
        policy="p",
    )


def scored(score: float | None, *, domain: str = "harassment", threshold: float = 0.9) -> ModelEvidence:
    return ModelEvidence(domain, f"message_{domain}", 1, "champion", threshold, score)


def taken(tally: Tally) -> list[Counts]:
    """What Kafka takes."""
    records = tally.grown()
    tally.note_written(records)
    return records


def at(hour: int, second: int = 0) -> int:
    return hour * HOUR_US + second * 1_000_000


def test_events_are_counted_by_score_and_by_what_raised_their_alert() -> None:
    tally = Tally("one")
    tally.count(event(), [scored(0.95)], now_us=at(HOUR))
    tally.count(event(), [scored(0.2)], now_us=at(HOUR))
    tally.count(event(rules=["harassment"]), [scored(0.99)], now_us=at(HOUR))
    tally.count(event(rules=["harassment"], mode="shadow"), [scored(None)], now_us=at(HOUR))
    scores, alerts, inputs = taken(tally)
    assert scores == ScoreCounts(
        instance="one",
        hour=HOUR,
        domain="harassment",
        model="message_harassment",
        version=1,
        role="champion",
        alone={bin_of(0.95): 1, bin_of(0.2): 1},
        with_rule={bin_of(0.99): 1},
        failed=1,
    )
    assert alerts == AlertCounts(instance="one", hour=HOUR, domain="harassment", by_rules=1, by_models=1)
    assert isinstance(inputs, InputCounts)
    assert inputs.events == 4
    assert inputs.facts["writer=buyer"] == 4


def test_a_score_that_raises_no_alert_by_itself_raises_none_in_the_count() -> None:
    tally = Tally("one")
    tally.count(event(), [scored(0.5, threshold=0.9)], now_us=at(HOUR))
    assert [counts.events for counts in taken(tally) if isinstance(counts, AlertCounts)] == []


def test_a_stress_run_is_no_traffic() -> None:
    tally = Tally("one")
    stressed = event()
    stressed = Screened(
        **{name: getattr(stressed, name) for name in Screened.__slots__ if name != "subject"},
        subject=Subject("message", "t1", (("message_id", "stress-20261121T180000Z-3f9a1c-7"),), "c"),
    )
    tally.count(stressed, [scored(0.99)], now_us=at(HOUR))
    assert taken(tally) == []


def test_only_what_has_grown_is_written_again_and_it_is_cumulative() -> None:
    tally = Tally("one")
    tally.count(event(), [scored(0.5), scored(0.5, domain="contact_exchange")], now_us=at(HOUR))
    assert len(taken(tally)) == 3
    assert taken(tally) == []
    tally.count(event(), [scored(0.5)], now_us=at(HOUR))
    again = taken(tally)
    assert [type(counts) for counts in again] == [ScoreCounts, InputCounts]
    assert [counts.events for counts in again] == [2, 2]


def test_an_hour_that_is_over_is_written_once_more_and_forgotten() -> None:
    tally = Tally("one")
    tally.count(event(), [scored(0.5)], now_us=at(HOUR, 3599))
    tally.count(event(), [scored(0.5)], now_us=at(HOUR + 1))
    assert sorted({counts.hour for counts in taken(tally)}) == [HOUR, HOUR + 1]
    tally.count(event(), [scored(0.5)], now_us=at(HOUR + 1))
    assert {counts.hour for counts in taken(tally)} == {HOUR + 1}


def test_a_clock_that_goes_back_opens_no_hour_anew() -> None:
    tally = Tally("one")
    tally.count(event(), [scored(0.5)], now_us=at(HOUR + 1))
    taken(tally)
    tally.count(event(), [scored(0.5)], now_us=at(HOUR))
    assert {(counts.hour, counts.events) for counts in taken(tally)} == {(HOUR + 1, 2)}


def test_a_clock_that_was_far_ahead_leaves_no_counts_in_the_future() -> None:
    tally = Tally("one")
    for hour in (HOUR, HOUR + 48, HOUR + 1, HOUR + 2):
        tally.count(event(), [], now_us=at(hour))
    tally.count(event(), [], now_us=at(HOUR + 48))
    tally.count(event(), [], now_us=at(HOUR + 2))
    found = [(counts.instance, counts.hour, counts.events) for counts in taken(tally)]
    assert sorted(found) == [
        ("one", HOUR, 1),
        ("one", HOUR + 48, 1),
        ("one-1", HOUR + 1, 1),
        ("one-1", HOUR + 2, 1),
        ("one-1", HOUR + 48, 1),
        ("one-2", HOUR + 2, 1),
    ]
    assert taken(tally) == []
    tally.count(event(), [], now_us=at(HOUR + 2, 5))
    assert [(counts.instance, counts.events) for counts in taken(tally)] == [("one-2", 2)]


def test_what_was_not_written_is_there_again_and_what_is_counted_meanwhile_is_not_taken_for_written() -> None:
    tally = Tally("one")
    tally.count(event(), [], now_us=at(HOUR))
    (refused,) = tally.grown()
    tally.count(event(), [], now_us=at(HOUR + 1))
    assert [counts.hour for counts in tally.grown()] == [HOUR, HOUR + 1], "hours that are over, too"
    under_way = tally.grown()
    tally.count(event(), [], now_us=at(HOUR + 1))
    tally.note_written(under_way)
    tally.note_written([refused])
    assert [(counts.hour, counts.events) for counts in taken(tally)] == [(HOUR + 1, 2)]


def test_what_nobody_takes_does_not_grow_without_end() -> None:
    tally = Tally("one")
    for hour in range(KEPT_HOURS + 10):
        tally.count(event(), [], now_us=at(HOUR + hour))
    assert [counts.hour for counts in tally.grown()] == list(range(HOUR + 10, HOUR + 10 + KEPT_HOURS))


def test_keys_tell_instances_hours_and_series_apart() -> None:
    tally = Tally("3f0c")
    tally.count(event(rules=["harassment"]), [scored(0.5)], now_us=at(HOUR))
    assert [key_of(counts).decode() for counts in taken(tally)] == [
        f"3f0c/{HOUR}/scores/harassment/champion/message_harassment/1",
        f"3f0c/{HOUR}/alerts/harassment",
        f"3f0c/{HOUR}/inputs/message",
    ]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_the_sum_is_of_every_event_however_often_and_in_whatever_order_records_come(
    events: list[tuple[int, int, float]], order: random.Random
) -> None:
    tallies = [Tally(str(number)) for number in range(3)]
    written: list[bytes] = []
    for worker, hour, score in events:
        tallies[worker].count(event(), [scored(score)], now_us=at(HOUR + hour))
        if order.random() < 0.5:
            written += map(encode, taken(tallies[worker]))
    for tally in tallies:
        written += map(encode, taken(tally))
    written += order.choices(written, k=3)  # read again
    order.shuffle(written)
    book = StatisticsBook()
    for value in written:
        book.fold(value)
    total = book.over(book.hours(), ("scores", "harassment", "champion", "message_harassment", "1"))
    assert isinstance(total, ScoreCounts)
    expected: dict[int, int] = {}
    for _, _, score in events:
        expected[bin_of(score)] = expected.get(bin_of(score), 0) + 1
    assert total.alone == expected
    inputs = book.over(book.hours(), ("inputs", "message"))
    assert inputs is not None
    assert inputs.events == len(events)


def test_what_this_engine_did_not_write_is_counted_and_passed_over() -> None:
    book = StatisticsBook()
    for value in (
        None,
        b"",
        b"{}",
        b"\xff",
        b'{"format":2,"counts":{}}',
        b'{"format":1,"counts":{"of":"scores"}}',
    ):
        book.fold(value)
    assert book.unreadable == 5
    assert book.series() == []
    assert book.at(HOUR, ("alerts", "harassment")) is None


def scores_record(**changes: object) -> bytes:
    counts = {
        "of": "scores", "instance": "a", "hour": HOUR, "domain": "d", "model": "m", "version": 1, "role": "champion",
        **changes,
    }  # fmt: skip
    return json.dumps({"format": 1, "counts": counts}).encode()


@pytest.mark.parametrize(
    "value",
    [
        scores_record(alone={LOWEST_BIN - 1: 1}),
        scores_record(alone={-40_000: 5_000}),
        scores_record(with_rule={HIGHEST_BIN + 1: 1}),
        scores_record(alone={3: -1}),
        scores_record(alone={3: 2**28}),
        scores_record(alone={3: 2**70}),
        scores_record(failed=-1),
        scores_record(hour=-1),
        scores_record(hour=2**62),
        b'{"format":1,"counts":{"of":"inputs","instance":"a","hour":5,"kind":"message","facts":{"events":-4}}}',
        b'{"format":1,"counts":{"of":"alerts","instance":"a","hour":5,"domain":"d","by_rules":-4}}',
        b'{"format":1,"counts":{"of":"scores","instance":"\xff\xfe"}}',
        b'{"format":1,"zzz":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    ],
)
def test_counts_that_nobody_can_have_counted_are_not_read(value: bytes) -> None:
    book = StatisticsBook()
    book.fold(value)
    assert (book.unreadable, book.hours()) == (1, [])


@given(st.integers(LOWEST_BIN, HIGHEST_BIN), st.integers(0, 2**28 - 1))
def test_every_bin_and_count_that_a_process_writes_is_read(place: int, count: int) -> None:
    book = StatisticsBook()
    book.fold(scores_record(alone={place: count}, failed=1))
    assert book.unreadable == 0


def test_hours_before_the_horizon_leave_and_stay_away() -> None:
    book = StatisticsBook()
    old = encode(AlertCounts(instance="a", hour=HOUR, domain="d", by_rules=1))
    for value in (old, encode(AlertCounts(instance="a", hour=HOUR + 1, domain="d", by_models=2))):
        book.fold(value)
    book.forget_before(HOUR + 1)
    book.fold(old)
    assert book.hours() == [HOUR + 1]
    assert book.over([HOUR, HOUR + 1], ("alerts", "d")) == AlertCounts(
        instance="a", hour=HOUR + 1, domain="d", by_models=2
    )


def test_a_clock_that_was_ahead_does_not_keep_hours_away_for_good() -> None:
    book = StatisticsBook()
    book.forget_before(HOUR + 10_000)
    book.forget_before(HOUR - 48)
    book.fold(encode(AlertCounts(instance="a", hour=HOUR, domain="d", by_rules=1)))
    assert book.hours() == [HOUR]


@pytest.mark.parametrize(
    "counts",
    [
        ScoreCounts(instance="a", hour=1, domain="d", model="m", version=2, role="challenger", alone={-3: 1}),
        AlertCounts(instance="a", hour=1, domain="d", by_rules=3),
        InputCounts(instance="a", hour=1, kind="listing", facts={"events": 2, "image=none": 1}),
    ],
)
def test_a_record_is_read_as_it_was_written(counts: ScoreCounts | AlertCounts | InputCounts) -> None:
    assert decode(encode(counts)) == counts
    assert summed([counts, counts]).events == 2 * counts.events
