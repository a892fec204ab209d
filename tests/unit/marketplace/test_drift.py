"""Drift: prevalence, phrasing and words move with the date as the schedule says, and nothing moves without one."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace import listing_examples, message_examples, traffic
from marketplace.conversations import TRAFFIC, TRAINING, Mix
from marketplace.drift import Drift
from marketplace.grammar import Family, Fashion, Voice
from marketplace.lexicon import MOVING_SLOTS, SLOTS
from marketplace.listings import ListingMix
from marketplace.phrases import listings as goods

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
END = START + timedelta(days=100)


def digest(objects: Iterable[object]) -> str:
    found = hashlib.sha256()
    for one in objects:
        found.update(json.dumps(one, ensure_ascii=False, sort_keys=True).encode())
    return found.hexdigest()[:16]


def test_without_drift_the_bytes_are_what_the_shipped_models_were_made_from() -> None:
    assert digest(message_examples(1, 3000, start=START)) == "b9a182c4eed508e0"
    assert digest(message_examples(2, 2000, start=START, mix=TRAINING)) == "fd14615d1766f763"
    assert digest(listing_examples(1, 300, start=START)) == "aed24b15ccde3c1e"
    events = islice(traffic(4, start=START), 3000)
    assert digest((e.topic, e.key, e.value, e.labels) for e in events) == "ce0fe964f1445d8c"


@given(st.floats(-1, 2), st.floats(0, 1), st.floats(0, 3))
def test_the_schedule_is_a_line_that_begins_and_ends_where_it_says(
    place: float, turnover: float, growth: float
) -> None:
    drift = Drift(START, END, turnover, growth)
    at = START + (END - START) * place
    p = min(1.0, max(0.0, place))
    assert drift.progress(at) == pytest.approx(p, abs=1e-6)
    assert drift.newer_share(at) == pytest.approx(0.5 + turnover * (p - 0.5), abs=1e-6)
    moved = drift.mix(Mix(), at)
    assert moved.violation_share == pytest.approx(0.04 * (1 + p * (growth - 1)), abs=1e-6)
    assert moved.near_miss_share == Mix().near_miss_share
    assert (moved.fashion is None) == (turnover == 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((END, START), "not after its start"),
        ((START.replace(tzinfo=None), END), "time zone"),
        ((START, END, 1.5), "turnover is 1.5"),
        ((START, END, 0.0, -1.0), "growth is -1"),
    ],
)
def test_impossible_drifts_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Drift(*arguments)
    with pytest.raises(ValueError, match="newer_share is 2"):
        Fashion(2)


def ends(drift: Drift | None, mix: Mix = TRAFFIC) -> tuple[list[dict], list[dict]]:
    """The first and the last tenth of 20,000 windows over the drift's time."""
    found = list(message_examples(3, 20_000, start=START, days=100, drift=drift, mix=mix))
    assert found[-1]["messages"][-1]["sent_at"] > (END - timedelta(days=5)).isoformat()
    return found[:2000], found[-2000:]


def test_prevalence_moves_as_stated_and_stands_still_without_growth() -> None:
    def violating(examples: list[dict]) -> float:
        return sum(any(e["labels"].values()) for e in examples) / len(examples)

    early, late = map(violating, ends(Drift(START, END, growth=4.0)))
    # At 5 % and 95 % of the way: shares of 1.15 and 3.85 times the start's, a ratio of 3.3; conversations last days.
    assert 2.3 < late / early < 4.8
    early, late = map(violating, ends(Drift(START, END, turnover=1.0)))
    assert 0.6 < late / early < 1.6


def test_words_move_from_the_older_to_the_newer_half() -> None:
    def newer_share(examples: list[dict]) -> float:
        """Of all mentions of an app in both languages that only one half of the slots has."""
        apps = [SLOTS[language]["app"] for language in ("ja", "en")]
        older, newer = (
            {app for values in apps for app in half(values)}
            for half in (lambda v: v[: len(v) // 2], lambda v: v[len(v) // 2 :])
        )
        mentions = [
            app in newer
            for example in examples
            for app in (older ^ newer)
            if app in example["messages"][-1]["text"]
        ]
        assert len(mentions) > 30
        return sum(mentions) / len(mentions)

    early, late = map(newer_share, ends(Drift(START, END, turnover=1.0), TRAINING))
    assert late > early + 0.35
    early, late = map(newer_share, ends(None, TRAINING))
    assert abs(late - early) < 0.2


@pytest.mark.parametrize(("newer", "said"), [(0.0, {"t0", "t1", "t2", "t3", "t4"}), (1.0, None)])
def test_a_fashion_chooses_among_the_templates_of_large_families(newer: float, said: set | None) -> None:
    templates = tuple(f"t{number}" for number in range(10))
    family = Family("f", {"en": templates, "ja": ()})
    voice = Voice("en", "every", {}, fashion=Fashion(newer))
    rng = Random(1)
    assert {voice.say(family, rng) for _ in range(300)} == (said or set(templates[5:]))
    small = Family("greeting", {"en": ("hi", "hello"), "ja": ()})
    assert {voice.say(small, rng) for _ in range(100)} == {"hi", "hello"}


def test_only_the_named_slots_move() -> None:
    slots = {"app": ("a0", "a1"), "bank": ("b0", "b1")}
    voice = Voice("en", "every", slots, fashion=Fashion(1.0, frozenset({"app"})))
    rng = Random(1)
    assert {voice.fill("{app}", rng) for _ in range(50)} == {"a1"}
    assert {voice.fill("{bank}", rng) for _ in range(50)} == {"b0", "b1"}
    assert set(SLOTS["ja"]) >= MOVING_SLOTS - {"fee_reason"}
    assert Fashion(0.0).choose(("only",), rng) == Fashion(1.0).choose(("only",), rng) == "only"


def test_prohibited_goods_come_and_go() -> None:
    def titles(newer: float) -> str:
        mix = ListingMix(violation_share=0.4, near_miss_share=0.0, fashion=Fashion(newer))
        found = listing_examples(5, 300, start=START, mix=mix)
        return " ".join(e["listing"]["title"] for e in found if e["labels"]["prohibited_goods"])

    older, newer = goods.PROHIBITED[0], goods.PROHIBITED[-1]
    assert any(name in titles(0.0) for name in older.names["ja"])
    assert not any(name in titles(1.0) for name in older.names["ja"])
    assert any(name in titles(1.0) for name in newer.names["ja"])
