"""Label noise: the stated shares, both ways, and the truth kept."""

from datetime import UTC, datetime

import pytest

from marketplace import message_examples
from marketplace.conversations import TRAINING
from marketplace.noise import LabelNoise, noisy

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def examples() -> list[dict]:
    return list(message_examples(3, 12_000, start=START, mix=TRAINING))


def test_the_stated_shares_of_both_kinds_are_flipped(examples: list[dict]) -> None:
    found = list(noisy(examples, LabelNoise(missed_share=0.2, false_share=0.03), seed=5))
    pairs = [(e["true_labels"][d], e["labels"][d]) for e in found for d in e["labels"]]
    missed = [given == 0 for truth, given in pairs if truth == 1]
    false = [given == 1 for truth, given in pairs if truth == 0]
    assert len(missed) > 1000
    assert sum(missed) / len(missed) == pytest.approx(0.2, abs=0.04)
    assert sum(false) / len(false) == pytest.approx(0.03, abs=0.005)


def test_truth_and_everything_else_are_as_without_noise(examples: list[dict]) -> None:
    found = list(noisy(examples, LabelNoise(0.5, 0.5), seed=5))
    assert [e["true_labels"] for e in found] == [e["labels"] for e in examples]
    assert all("true_labels" not in e for e in examples), "the examples given are not changed"
    for one, original in zip(found, examples, strict=True):
        assert {k: v for k, v in one.items() if k not in ("labels", "true_labels")} == {
            k: v for k, v in original.items() if k != "labels"
        }


def test_without_noise_examples_pass_as_they_are_and_the_seed_decides_otherwise(examples: list[dict]) -> None:
    some = examples[:500]
    assert all(a is b for a, b in zip(noisy(some, LabelNoise(), seed=1), some, strict=True))
    noise = LabelNoise(0.1, 0.1)
    assert list(noisy(some, noise, seed=1)) == list(noisy(some, noise, seed=1))
    assert list(noisy(some, noise, seed=1)) != list(noisy(some, noise, seed=2))


@pytest.mark.parametrize("shares", [{"missed_share": -0.1}, {"false_share": 1.1}])
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(shares))):
        LabelNoise(**shares)
