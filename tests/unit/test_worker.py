"""What a worker says when it cannot start."""

import os
import signal
from pathlib import Path

import pytest

from streams import worker
from streams.kafka.topics import Difference
from streams.settings import Settings
from streams.worker import NotReadyToStart, Worker, what_to_do_about


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


async def test_a_store_whose_package_is_missing_is_named_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "find_spec", lambda _: None)
    stranded = Worker(Settings(window_store="rocksdb", data_dir=tmp_path, web_port=0))
    with pytest.raises(NotReadyToStart, match=r"pip install 'sekisho\[rocksdb\]'"):
        await stranded._start()


async def test_the_first_signal_of_a_worker_that_stops_by_itself_is_not_an_impatient_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    failing = Worker(Settings(data_dir=tmp_path, web_port=0))
    failing._fail(RuntimeError("disk full"))
    failing._on_signal(signal.SIGTERM)
    assert left == []
    failing._told_to_stop_at_s = -10.0
    failing._on_signal(signal.SIGTERM)
    assert left == [1], "a second one is"
