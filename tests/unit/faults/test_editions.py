"""Editions of rules and policy: the good ones pass the engine's own check, the spoilt ones do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.rulebook.check import check
from streams.rulebook.files import take_snapshot
from tests.faults.arithmetic import LISTING_MODEL, MESSAGE_MODEL
from tests.faults.checker.expected import Editions, Seen
from tests.faults.editions import MARKERS, edition, spoilt

VERSIONS = {MESSAGE_MODEL: 1, LISTING_MODEL: 3}
MISTAKES = 7


def _usable(directory: Path) -> bool:
    return check(take_snapshot(directory).files, now_us=0).usable


@pytest.mark.parametrize("number", [1, 2, 9])
def test_good_editions_are_good_and_have_versions_of_their_own(tmp_path: Path, number: int):
    made = edition(number, VERSIONS, seed=4)
    made.put(tmp_path)
    assert _usable(tmp_path)
    assert made == edition(number, VERSIONS, seed=4)
    assert made.ruleset != edition(number + 1, VERSIONS, seed=4).ruleset
    assert sum(mode == "active" for mode in made.modes.values()) == 4


@pytest.mark.parametrize("choice", range(MISTAKES))
def test_spoilt_ones_are_refused_or_else_named(tmp_path: Path, choice: int):
    good = edition(1, VERSIONS, seed=4)
    good.put(tmp_path)
    files, taken = spoilt(good, choice)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert _usable(tmp_path) == (taken is not None)
    if taken is not None:
        assert taken.ruleset == good.ruleset
        assert taken.policy != good.policy
        assert taken.champions["marked_messages"][1] == 99991


def test_the_checker_reads_editions_as_the_engine_does(tmp_path: Path):
    made = edition(1, VERSIONS, seed=4)
    editions = Editions([made.record()])
    assert editions.known(made.ruleset, made.policy)
    assert not editions.known(made.ruleset, "another")
    assert editions.words == sorted(marker.word for marker in MARKERS)
    everything = frozenset(editions.words)
    fired = dict(editions.fired(Seen("message", everything, everything), made.ruleset))
    assert fired == {
        marker.rule_id: made.modes[marker.word]
        for marker in MARKERS
        if marker.kind == "message" and made.modes[marker.word] != "off"
    }
    assert editions.fired(Seen("message", frozenset(), frozenset()), made.ruleset) == []
    assert set(editions.champions("listing", made.policy)) == {"marked_goods"}
    assert editions.champions("listing", made.policy)["marked_goods"].version == 3
