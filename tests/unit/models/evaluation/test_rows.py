"""Which rows are read, what is noted of them, and what is said of data that cannot be evaluated on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data.examples import ExampleError
from models.data.rule_hits import RuleHits
from models.data.splits import Split
from models.evaluation.gates import binary_attribute
from models.evaluation.rows import Questions, read_rows, source_of
from streams.rule_engine import RuleSet
from streams.rule_engine.rule import Match
from tests.unit.models.labelled import listing, window, write
from tests.unit.rule_engine.making import message_rule


def no_picture(_: Mapping[str, Any]) -> None:
    return None


def pair(**extra: Any) -> list[dict[str, Any]]:
    return [
        window("a secret", transaction="t1", labels={"d": 1}, **extra),
        window("fine", transaction="t2", labels={"d": 0}, **extra),
    ]


def test_a_directory_has_parts_and_a_file_is_taken_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "test.jsonl", pair())
    write(tmp_path / "valid.jsonl", [*pair(), *pair()])
    assert source_of(tmp_path, "test", Split()).files == (path,)
    assert len(list(source_of(tmp_path, "all", Split()).examples())) == 6
    assert source_of(tmp_path, "all", Split()).count() == 6
    assert source_of(path, "test", Split()).words == "all of test.jsonl"


def test_one_file_is_split_by_time(tmp_path: Path) -> None:
    days = [
        window("x", transaction=f"t{day}", at=f"2026-01-{day:02d}T00:00:00Z", labels={"d": day % 2})
        for day in range(1, 21)
    ]
    write(tmp_path / "examples.jsonl", reversed(days))
    source = source_of(tmp_path, "test", Split(0.15, 0.15))
    assert {example["transaction_id"] for example in source.examples()} == {"t18", "t19", "t20"}
    assert source.count() == 3
    assert source.words == "the part test of examples.jsonl, split by time"
    assert len(list(source_of(tmp_path, "all", Split()).examples())) == 20


def test_a_directory_without_the_part_says_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "messages.jsonl", pair())
    with pytest.raises(ExampleError, match=r"no test\.jsonl .*there: messages\.jsonl"):
        source_of(tmp_path, "test", Split())


def test_facts_of_messages(tmp_path: Path) -> None:
    rules = RuleHits(RuleSet([message_rule(Match(any=("secret",)), domain="d")]), "message")
    examples = [
        window(
            "a secret", transaction="t1", labels={"d": 1}, scores={"message_d/3": 0.75, "message_d/2": 0.5}
        ),
        window("unknown", transaction="t1", labels={"d": None}),
        window("fine", transaction="t2", labels={"d": 0}, scores={"message_d/2": 0.1}),
        window("also fine", transaction="t1", labels={"d": 0}),
    ]
    path = write(tmp_path / "a.jsonl", examples)
    advanced: list[int] = []
    rows = read_rows(
        source_of(path, "test", Split()),
        "message",
        Questions("d", rules=rules, domain="d", recorded_by="message_d/3"),
        no_picture,
        advance=advanced.append,
    )
    assert rows.truth.tolist() == [1, 0, 0]
    assert rows.groups.tolist() == [0, 1, 0]
    assert [one.rule_alert for one in rows.facts] == [True, False, False]
    assert [one.recorded for one in rows.facts] == [0.75, None, None]
    assert rows.facts[0].text == "buyer: a secret"
    assert rows.facts[2].place == f"{path}:4"
    assert (rows.unlabelled, sum(advanced), len(rows.features.features)) == (1, 4, 3)
    assert not rows.has_image.any()


def test_facts_of_listings(tmp_path: Path) -> None:
    examples = [
        listing("A", identity="a", attributes={"new": True}, labels={"d": 1}),
        listing("B", identity="b", attributes={"new": False}, labels={"d": 0}),
        listing("C", identity="c", labels={"d": 0}),
    ]
    path = write(tmp_path / "a.jsonl", examples)
    picture = np.ones(1280, np.float32)
    rows = read_rows(
        source_of(path, "test", Split()),
        "listing",
        Questions("d", attribute=binary_attribute("attributes.new")),
        lambda example: picture if example["listing"]["title"] == "B" else None,
    )
    assert [str(one.attribute) for one in rows.facts] == ["1.0", "0.0", "nan"]
    assert rows.has_image.tolist() == [False, True, False]
    assert rows.facts[0].text == "A"


def test_the_truth_counts_only_where_every_row_knows_it(tmp_path: Path) -> None:
    knowing = [example | {"true_labels": {"d": 1}} for example in pair()]

    def true_labels(examples: list[dict[str, Any]]) -> Any:
        path = write(tmp_path / "a.jsonl", examples)
        found = read_rows(source_of(path, "test", Split()), "message", Questions("d"), no_picture).true_labels
        return None if found is None else found.tolist()

    assert true_labels(knowing) == [1, 1]
    assert true_labels([*knowing, *pair()]) is None


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ([window("x", labels={"other": 1})], 'no example is labelled for "d"; labels there: other'),
        ([window("x", labels={"d": 1})], '1 of 1 examples are positive for "d"'),
        ([listing("x", labels={"d": 1})], 'a.jsonl:1: has "listing", but the model is of kind message'),
        (pair(scores={"message_d/3": 1.5}), 'a.jsonl:1: "scores" must map'),
        (pair(true_labels={"d": 2}), 'a.jsonl:1: "true_labels" must map'),
        (pair(true_labels=[1]), 'a.jsonl:1: "true_labels" must map'),
        (pair(scores=[1]), 'a.jsonl:1: "scores" must map'),
        (pair(scores={"message_d/3": True}), 'a.jsonl:1: "scores" must map'),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(tmp_path: Path, examples: list[Any], said: str) -> None:
    path = write(tmp_path / "a.jsonl", examples)
    with pytest.raises(ExampleError, match=re.escape(said)):
        read_rows(
            source_of(path, "test", Split()), "message", Questions("d", recorded_by="message_d/3"), no_picture
        )
