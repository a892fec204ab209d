"""The sentence benchmark: fair splits, Kim's norm constraint, and a classifier that learns what can be learnt."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.models.sentences import (
    NAMES,
    PLAN,
    TREC_RUNS,
    SentenceSet,
    Split,
    data_and_splits,
    fold_splits,
    limit_norms,
    main,
    section,
    stratified,
    train_and_test,
    trec_splits,
    vocabulary_of,
    with_shapes,
)

pytestmark = pytest.mark.train

labels_of_classes = st.lists(st.integers(0, 3), min_size=40, max_size=200).map(
    lambda x: np.array(x, np.int64)
)


@given(labels_of_classes, st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_every_class_is_spread_evenly(labels: np.ndarray, seed: int) -> None:
    part = stratified(labels, 10, seed)
    for label in np.unique(labels):
        counts = np.bincount(part[labels == label], minlength=10)
        assert counts.max() - counts.min() <= 1


@given(labels_of_classes, st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_folds_are_disjoint_and_each_example_is_tested_once(labels: np.ndarray, seed: int) -> None:
    splits = list(fold_splits(labels, seed))
    assert np.array_equal(np.sort(np.concatenate([split.test for split in splits])), np.arange(len(labels)))
    for split in splits:
        everything = np.concatenate([split.training, split.dev, split.test])
        assert np.array_equal(np.sort(everything), np.arange(len(labels)))


def test_splits_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    labels = np.arange(300) % 3
    first, again, other = (next(fold_splits(labels, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.test, again.test)
    assert np.array_equal(first.dev, again.dev)
    assert not np.array_equal(first.test, other.test)


def test_trec_is_tested_on_its_own_test_part_alone() -> None:
    training = SentenceSet((("a",),) * 50, np.arange(50) % 2)
    test = SentenceSet((("b",),) * 7, np.zeros(7, np.int64))
    splits = list(trec_splits(training, test, seed=1, runs=3))
    assert len(splits) == 3
    for split in splits:
        assert split.test.tolist() == list(range(50, 57))
        assert sorted([*split.training, *split.dev]) == list(range(50))
        assert 4 <= len(split.dev) <= 6
    assert not np.array_equal(splits[0].dev, splits[1].dev)


def test_norms_above_the_limit_come_down_to_it_and_the_others_stay() -> None:
    weights = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    limit_norms(weights, 3.0)
    assert torch.allclose(weights, torch.tensor([[1.8, 2.4], [0.3, 0.4], [0.0, 0.0]]))


def test_words_of_the_training_part_have_rows_by_frequency() -> None:
    assert vocabulary_of([("b", "a"), ("b", "c")]) == {"b": 2, "a": 3, "c": 4}


def sentences_about(count: int, seed: int) -> SentenceSet:
    """The class is whether "good" stands directly after "not": no single word tells it."""
    generator = np.random.default_rng(seed)
    sentences, labels = [], []
    for number in range(count):
        filler = [f"w{i}" for i in generator.integers(0, 30, 6)]
        pair = ["not", "good"] if number % 2 else ["good", "not"]
        at = int(generator.integers(0, 6))
        sentences.append((*filler[:at], *pair, *filler[at:]))
        labels.append(number % 2)
    return SentenceSet(tuple(sentences), np.array(labels, np.int64))


def test_the_classifier_learns_word_order_and_repeats_itself_by_seed() -> None:
    data = sentences_about(500, seed=4)
    index = np.arange(500)
    split = Split(index[:300], index[300:400], index[400:])
    plan = replace(PLAN, embedding_width=16, filters=8, epochs=12, patience=12, learning_rate=1e-2)
    dev, test, epoch = train_and_test(data, split, plan, seed=2)
    assert dev > 0.95
    assert test > 0.9
    assert (dev, test, epoch) == train_and_test(data, split, plan, seed=2)


def test_labels_drawn_at_random_are_not_learnt() -> None:
    data = sentences_about(400, seed=4)
    shuffled = SentenceSet(data.sentences, np.random.default_rng(1).permutation(data.labels))
    index = np.arange(400)
    plan = replace(PLAN, embedding_width=8, filters=8, epochs=3)
    _, test, _ = train_and_test(shuffled, Split(index[:200], index[200:250], index[250:]), plan, seed=2)
    assert 0.3 < test < 0.7


def test_case_is_kept_for_trec_alone_as_in_kims_script(tmp_path: Path) -> None:
    line = json.dumps({"text": "Who is  Kim ?", "label": 1}) + "\n"
    for name in ("mr", "trec_train", "trec_test"):
        (tmp_path / f"{name}.jsonl").write_text(line * 20, encoding="utf-8")
    assert data_and_splits("mr", tmp_path, 1)[0].sentences[0] == ("who", "is", "kim", "?")
    assert data_and_splits("trec", tmp_path, 1)[0].sentences[0] == ("Who", "is", "Kim", "?")


def result(test: float) -> dict[str, object]:
    spread = {"mean": test, "deviation": 0.5, "runs": [test]}
    return {
        "date": "2026-01-02", "command": "run", "seeds": [1], "processor_minutes": 2.0, "versions": {"torch": "1"},
        "machine": "m", "rows": [{"set": "mr", "goal": 76.0, "kim": 76.1, "dev": spread, "test": spread}],
    }  # fmt: skip


def test_a_missed_goal_is_in_bold() -> None:
    assert "| MR | 76.0 ± 0.5 | 76.0 | reached | 76.1 |" in section([result(76.0)])
    assert "| MR | 75.9 ± 0.5 | 76.0 | **missed** | 76.1 |" in section([result(75.9)])


def test_the_command_writes_what_the_section_renders(tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": f"{'who' if i % 2 else 'where'} is it {i}", "label": i % 2}) for i in range(40)
    ]
    for part in ("train", "test"):
        (tmp_path / f"trec_{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run = CliRunner().invoke(
        main, [str(tmp_path), "trec", "--out", str(tmp_path / "out")], catch_exceptions=False
    )
    assert run.exit_code == 0
    result = json.loads((tmp_path / "out" / "sentences_trec.json").read_text(encoding="utf-8"))
    (row,) = result["rows"]
    assert len(row["test"]["runs"]) == len(result["seeds"]) == TREC_RUNS
    assert str(tmp_path) not in json.dumps(result)
    assert f"| {NAMES['trec']} | {row['test']['mean']:.1f}" in section([result])


def test_rare_words_share_the_row_of_their_shape() -> None:
    training = [("What", "is", "1984"), ("What", "is", "Popeye"), ("Who", "is", "it")]
    shown = with_shapes([("What", "is", "Zork", "90", "novel")], training, least_count=2)
    assert shown == [["What", "is", "<word A>", "<number a>", "<word a>"]]
    assert with_shapes(training, training, least_count=1) == [list(sentence) for sentence in training]
