"""What decisions and alerts come to: the same in any order and however often, the newest verdict first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.labels.joining import Judgement
from models.labels.reviewing import Reviews
from tests.unit.models.labels.history import Record, decision, raised

DECISIONS = st.builds(
    decision,
    st.sampled_from(["a1", "a2"]),
    st.sampled_from(["violation", "no_violation", "unsure"]),
    hours=st.integers(0, 3),
    by=st.sampled_from(["mod-1", "mod-2"]),
    domain=st.sampled_from([None, "harassment", "contact_exchange"]),
)


def folded(records: list[Record]) -> Reviews:
    reviews = Reviews()
    reviews.take_decisions(records)
    return reviews


@given(st.lists(DECISIONS, max_size=7), st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(records: list[Record], random) -> None:
    again = [*records, *records[:2]]
    random.shuffle(again)
    assert folded(again).so_far() == folded(records).so_far()


def test_the_newest_verdict_counts_and_earlier_ones_contradict_it() -> None:
    reviews = folded(
        [
            decision("a1", "no_violation", hours=3, by="mod-2"),
            decision("a1", "violation", hours=1),
            decision("a2", "violation", hours=1, domain="harassment"),
        ]
    )
    assert reviews.so_far().judgements == {
        "a1": Judgement("no_violation", None, contradicted=True),
        "a2": Judgement("violation", "harassment", contradicted=False),
    }
    counts = reviews.counts()
    assert (counts["records"], counts["alerts"], counts["decided_again"]) == (3, 2, 1)
    assert (counts["violation"], counts["no_violation"], counts["contradicted"]) == (1, 1, 1)


def test_at_one_moment_the_moderator_and_then_the_word_decide() -> None:
    tie = [decision("a1", "violation", by="mod-1"), decision("a1", "no_violation", by="mod-2")]
    assert folded(tie).so_far().judgements["a1"].verdict == "no_violation"
    same = [decision("a1", "violation"), decision("a1", "no_violation")]
    assert folded(same).so_far().judgements["a1"].verdict == "violation"


def test_what_cannot_be_read_is_counted_and_left_out() -> None:
    reviews = folded([Record(b"{"), Record(None), decision("a1", "violation")])
    reviews.take_alerted([Record(b"{}"), raised("a1", "harassment", transaction="t7")])
    review = reviews.so_far()
    assert review.alerted == {"a1"}
    assert review.alerted_keys == {"t7"}
    assert reviews.counts()["unreadable"] == 2
    assert reviews.counts()["alerted_unreadable"] == 1
