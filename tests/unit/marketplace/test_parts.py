"""Parts for training: apart in time and identity, each in its file, as the reader of training data takes them."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from marketplace import message_examples
from marketplace.__main__ import main
from marketplace.conversations import Mix
from marketplace.noise import LabelNoise
from marketplace.parts import SHARES, Recipe, part, part_sizes

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def times(examples: list[dict]) -> list[str]:
    return [e["listing"]["updated_at"] if "listing" in e else e["messages"][-1]["sent_at"] for e in examples]


@pytest.mark.parametrize(("kind", "count"), [("messages", 3000), ("listings", 300)])
def test_parts_are_apart_in_time_and_identity(kind: str, count: int) -> None:
    recipe = Recipe(seed=1, start=START, turnover=0.5)
    parts = [list(part(kind, name, size, recipe)) for name, size in part_sizes(count).items()]
    assert [len(found) for found in parts] == [count * 2 // 3, count // 6, count // 6]
    for earlier, later in pairwise(parts):
        assert max(times(earlier)) < min(times(later))
    identities = [
        {e["listing"]["listing_id"] if "listing" in e else e["transaction_id"] for e in p} for p in parts
    ]
    assert not identities[0] & identities[1]
    assert not identities[1] & identities[2]
    assert (datetime.fromisoformat(max(times(parts[-1]))) - START).days == pytest.approx(88, abs=4)


def test_sizes_add_up() -> None:
    for count in (0, 1, 5, 6, 100, 30_001):
        assert sum(part_sizes(count).values()) == count
    assert sum(SHARES.values()) == pytest.approx(1)


def violating(recipe: Recipe, name: str) -> float:
    found = list(part("messages", name, 6000, recipe))
    return sum(any(e["labels"].values()) for e in found) / len(found)


def test_training_is_rich_unless_told_otherwise() -> None:
    rich, natural = (Recipe(seed=1, start=START, rich=rich) for rich in (True, False))
    assert violating(rich, "train") > 2.5 * violating(natural, "train")
    assert violating(rich, "test") == violating(natural, "test")


@pytest.mark.parametrize("kind", ["messages", "listings"])
def test_hard_ones_are_marked_and_harmless(kind: str) -> None:
    found = list(part(kind, "train", 800, Recipe(seed=1, start=START)))
    hard = [e for e in found if e.get("hard")]
    assert 0.1 < len(hard) / len(found) < 0.6
    assert not any(label for e in hard for label in e["labels"].values())
    assert all(e.get("hard", True) is True for e in found), "said only where it is so"
    without_near_misses = Mix(violation_share=0.0, near_miss_share=0.0)
    easy = message_examples(1, 300, start=START, mix=without_near_misses, mark_hard=True)
    assert not any("hard" in e for e in easy)


def test_growth_that_leaves_no_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    Recipe(seed=1, start=START, growth=6)
    with pytest.raises(ValueError, match="cannot grow 9 times"):
        Recipe(seed=1, start=START, growth=9)
    result = CliRunner().invoke(main, ["examples", "--out", str(tmp_path / "c"), "--growth", "9"])
    assert result.exit_code == 1
    assert "violations cannot grow 9 times" in result.output
    assert not (tmp_path / "c").exists()


def test_the_command_writes_what_training_takes_and_says_that_it_is_invented(tmp_path: Path) -> None:
    arguments = ["--messages", "600", "--listings", "30", "--missed", "0.5", "--turnover", "1", "--seed", "3"]
    for name in ("a", "b"):
        result = CliRunner().invoke(main, ["examples", "--out", str(tmp_path / name), *arguments])
        assert result.exit_code == 0, result.output
    files = {str(p.relative_to(tmp_path / "a")) for p in (tmp_path / "a").rglob("*") if p.is_file()}
    parts = {f"{kind}/{name}.jsonl" for kind in ("messages", "listings") for name in SHARES}
    assert files == parts | {"corpus.json"}
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    described = json.loads((tmp_path / "a" / "corpus.json").read_text())
    assert "invented" in described["about"]
    assert (described["missed"], described["turnover"]) == (0.5, 1.0)
    lines = (tmp_path / "a" / "messages" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    recipe = Recipe(seed=3, start=START, noise=LabelNoise(0.5), turnover=1.0)
    assert [json.loads(line) for line in lines] == list(part("messages", "train", 400, recipe))
    assert any(e["labels"] != e["true_labels"] for e in map(json.loads, lines))


def test_what_train_reads_from_the_files_is_what_was_generated(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from models.data.datasets import message_set, read_examples
    from streams.features.tokens import TextPipeline

    arguments = ["--messages", "120", "--listings", "0", "--missed", "0.1", "--out", str(tmp_path)]
    assert CliRunner().invoke(main, ["examples", *arguments]).exit_code == 0
    found = message_set(read_examples(tmp_path / "messages" / "train.jsonl"), TextPipeline())
    assert len(found.features) == 80
    assert set(found.labels) == {"off_platform_payment", "contact_exchange", "harassment"}
