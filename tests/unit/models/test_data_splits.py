"""Splits by time keep transactions whole and their order; the guard sees what parts share."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.examples import PARTS, ExampleError
from models.data.facts import ExampleFacts, facts_of
from models.data.leakage import leakage
from models.data.splits import Split, split_by_time
from tests.unit.models.labelled import listing, window

pytestmark = pytest.mark.train


def fact(at: float | None, subject: str, *, text: str = "", seller: str | None = None) -> ExampleFacts:
    return ExampleFacts(
        f"f:{subject}", at, subject, seller, text.encode() or subject.encode(), {"d": 0}, hard=False
    )


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), min_size=1, max_size=300),
    st.floats(0.05, 0.4),
    st.floats(0, 0.4),
)
def test_whatever_the_times_transactions_stay_whole_and_later_parts_begin_later(
    found: list[tuple[int, int]], validation: float, test: float
) -> None:
    facts = [fact(at, f"t{transaction}") for at, transaction in found]
    try:
        parts = split_by_time(facts, Split(validation, test))
    except ExampleError:  # too few different times; the next tests say when
        return
    begins: dict[str, float] = {}
    of: dict[str, set[str]] = {}
    for one, part in zip(facts, parts, strict=True):
        begins[one.subject] = min(begins.get(one.subject, one.at), one.at)
        of.setdefault(one.subject, set()).add(part)
    assert all(len(names) == 1 for names in of.values())
    used = [part for part in PARTS if part in parts]
    assert used == list(PARTS if test else PARTS[:2])
    for earlier, later in pairwise(used):
        assert max(begins[s] for s, p in of.items() if p == {earlier}) < min(
            begins[s] for s, p in of.items() if p == {later}
        )


def test_shares_are_met_where_times_allow() -> None:
    parts = split_by_time([fact(i, f"t{i}") for i in range(1000)], Split(0.15, 0.2))
    assert [parts.count(part) for part in PARTS] == [650, 150, 200]


def test_what_cannot_be_split_says_why() -> None:
    with pytest.raises(ExampleError, match=r"f:b: no time \(sent_at"):
        split_by_time([fact(1, "a"), fact(None, "b")], Split())
    with pytest.raises(ExampleError, match="valid and test would stay empty"):
        split_by_time([fact(1, "a"), fact(1, "b")], Split())
    with pytest.raises(ExampleError, match="no examples"):
        split_by_time([], Split())


@pytest.mark.parametrize("wrong", [(0, 0.1), (0.5, 0.5), (0.2, -0.1)])
def test_impossible_shares_are_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="validation must be above 0"):
        Split(*wrong)


def test_facts_normalise_texts_and_read_times_with_and_without_a_zone() -> None:
    one, two = facts_of(
        [
            window("ＬＩＮＥ  で", at="2026-01-01T09:00:00+09:00"),
            window("line で", at="2026-01-01T00:00:00", hard=True),
        ],
        "message",
    )
    assert one.text == two.text
    assert one.at == two.at
    assert (one.hard, two.hard) == (False, True)
    (goods,) = facts_of([listing("a", seller="s9", updated_at="2026-01-01T00:00:00Z")], "listing")
    assert (goods.subject, goods.seller, goods.at) == ("l1", "s9", one.at)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({**window("a"), "messages": []}, "not a window of messages"),
        (window("a", at="yesterday"), "not a window of messages"),
        (window("a", labels={"d": 2}), '"labels" must map'),
        (listing("a"), 'has "listing", but the model is of kind message'),
    ],
)
def test_an_example_of_another_shape_is_named(broken: dict, said: str) -> None:
    with pytest.raises(ExampleError, match=f"example 2: {said}"):
        list(facts_of([window("a"), broken], "message"))


def test_the_guard_counts_what_later_parts_share_with_earlier_ones() -> None:
    found = leakage(
        {
            "train": [fact(1, "a", text="hello", seller="s"), fact(2, "b", text="x")],
            "valid": [fact(3, "c", text="hello"), fact(4, "d", text="y", seller="v"), fact(5, "b", text="z")],
            "test": [
                fact(6, "e", text="y", seller="s"),
                fact(7, "f", text="hello", seller="v"),
                fact(8, "g"),
            ],
        }
    )
    by_what = {one.what: dict(one.examples) for one in found.shared}
    assert by_what == {
        "text": {"valid": 1, "test": 2},
        "subject": {"valid": 1, "test": 0},
        "seller": {"valid": 0, "test": 2},
    }
    assert found.lines() == [
        "the same normalised text as in an earlier part: 1 of 3 in valid, 2 of 3 in test (e.g. f:c and f:a)",
        "the same transaction or listing as in an earlier part: 1 of 3 in valid (e.g. f:b and f:b)",
        "the same seller as in an earlier part: 2 of 3 in test (e.g. f:e and f:a)",
    ]
    assert found.record()["same_text"]["shown"] == [["f:a", "f:c"], ["f:d", "f:e"], ["f:a", "f:f"]]


def test_the_guard_sees_parts_that_overlap_in_time_and_is_silent_about_clean_ones() -> None:
    late = {"train": [fact(1, "a"), fact(86_401 + 86_400, "b")], "valid": [fact(86_401, "c")]}
    assert leakage(late).lines() == ["train and valid overlap in time by 1.0 days"]
    clean = leakage({"train": [fact(1, "a")], "valid": [fact(2, "b")]})
    assert clean.lines() == []
    assert clean.found == ()


def test_a_split_by_time_never_shares_a_transaction() -> None:
    facts = [fact(i, f"t{i // 7}", text=str(i)) for i in range(200)]
    parts = split_by_time(facts, Split())
    grouped = {part: [one for one, own in zip(facts, parts, strict=True) if own == part] for part in PARTS}
    assert all(one.what != "subject" for one in leakage(grouped).found)


def test_a_listing_that_rules_cannot_be_asked_about_is_named() -> None:
    from models.data.rule_hits import RuleHits
    from streams.rule_engine import RuleSet

    with pytest.raises(ExampleError, match=r"example 1: not a listing: .*price"):
        list(facts_of([listing("a", price="cheap")], "listing", RuleHits(RuleSet([]), "listing")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"messages": []}, r'"messages" must be a list of at least one message, not \[\]'),
        ({"messages": "hello"}, '"messages" must be a list of at least one message, not "hello"'),
        ({"messages": ["hello"]}, 'message 1 must be an object, not "hello"'),
        ({"status": 3}, '"status" must be a string, not 3'),
        ({"transaction_id": [1]}, r'"transaction_id" must be a string, not \[1\]'),
    ],
)
def test_what_is_wrong_with_a_window_is_said_in_its_own_names(changes: dict, said: str) -> None:
    with pytest.raises(ExampleError, match=f"^example 1: not a window of messages: {said}$"):
        list(
            facts_of(
                [window("a", **changes) if "messages" not in changes else window("a") | changes], "message"
            )
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"writer": "Seller"}, 'message 1: "writer" must be seller or buyer, not "Seller"'),
        ({"text": None}, 'message 1: "text" must be a string, not null'),
        ({"sender_id": 7}, '"sender_id" must be a string, not 7'),
        (
            {"sent_at": 1_700_000_000},
            r"the time must be as 2026-05-02T09:12:00Z \(RFC 3339\), not 1700000000",
        ),
        ({"sent_at": "yesterday"}, r'the time must be as 2026-05-02T09:12:00Z \(RFC 3339\), not "yesterday"'),
    ],
)
def test_what_is_wrong_with_a_message_is_said_in_its_own_names(changes: dict, said: str) -> None:
    example = window("a")
    example["messages"][0].update(changes)
    with pytest.raises(ExampleError, match=f"^example 1: not a window of messages: {said}$"):
        list(facts_of([example], "message"))
