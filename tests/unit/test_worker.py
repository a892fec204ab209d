"""What a worker says when it cannot start."""

from streams.kafka.topics import Difference
from streams.worker import what_to_do_about


def test_missing_topics_and_wrong_partitions_each_come_with_their_cure() -> None:
    wrong = [
        Difference("listings", "topic", "exists", "missing"),
        Difference("rescore", "topic", "exists", "missing"),
        Difference("messages", "partitions", "8", "4"),
    ]
    assert what_to_do_about(wrong) == (
        "missing topics: listings, rescore. Run `sekisho topics create`. "
        "numbers of partitions: messages has 4, should have 8. "
        "Set SEKISHO_PARTITIONS to what is there, or make the topic anew."
    )


def test_only_what_is_wrong_is_spoken_of() -> None:
    assert what_to_do_about([Difference("m", "partitions", "8", "4")]) == (
        "numbers of partitions: m has 4, should have 8. "
        "Set SEKISHO_PARTITIONS to what is there, or make the topic anew."
    )
