"""The message benchmark: statuses numbered, thresholds from the validation part, verdicts that can be bad."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.models.messages import (
    COURSES,
    VARIANTS,
    best_f1_threshold,
    main,
    measured,
    read_parts,
    regression,
    section,
    with_codes_of_ours,
)
from streams.events import STATUSES

pytestmark = pytest.mark.train


def conversation(text: str, status: str, label: int, number: int) -> dict[str, object]:
    return {
        "transaction_id": f"t{number}",
        "status": status,
        "messages": [
            {"message_id": "a", "writer": "seller", "text": "hello there"},
            {"message_id": "b", "writer": "buyer", "text": text},
        ],
        "labels": {"abuse": label},
    }


def test_statuses_take_the_engines_names_in_their_order() -> None:
    examples = [{"status": "late"}, {"status": "early"}]
    renamed = [e["status"] for e in with_codes_of_ours(examples, ["early", "late"])]
    assert renamed == [STATUSES[1], STATUSES[0]]


def test_a_status_that_training_never_saw_is_an_error_and_so_are_too_many() -> None:
    with pytest.raises(KeyError, match="overtime"):
        list(with_codes_of_ours([{"status": "overtime"}], ["early"]))
    with pytest.raises(ValueError, match="7 statuses"):
        list(with_codes_of_ours([], list("abcdefg")))


def test_the_threshold_is_that_of_the_largest_f1() -> None:
    truth = np.array([0, 0, 1, 0, 1, 1], np.float32)
    found = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    # from .3 on: 3 of 4 right, all found: F1 6/7; from .5 on: 2 of 2 right, 2 of 3 found: F1 4/5
    assert best_f1_threshold(truth, found) == 0.3


def test_f1_of_the_test_part_uses_the_validation_parts_threshold() -> None:
    truth = {"valid": np.array([0, 1], np.float32), "test": np.array([0, 1, 1], np.float32)}
    found = {"valid": np.array([0.2, 0.8]), "test": np.array([0.9, 0.7, 0.8])}
    figures = measured(truth, found)
    assert figures["f1"] == pytest.approx(
        0.5
    )  # at .8: one of two right, one of two found; at .7 it would be .8
    assert figures["auroc"] == 0
    assert figures["valid_auroc"] == 1


def test_parts_are_read_and_the_regression_sees_only_the_turns_it_may(tmp_path: Path) -> None:
    for part, count in (("train", 40), ("valid", 20), ("test", 20)):
        lines = [
            json.dumps(conversation("you fool" if i % 2 else "thank you", "early", i % 2, i))
            for i in range(count)
        ]
        (tmp_path / f"{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    parts = read_parts(tmp_path, "abuse")
    assert [len(part.labels) for part in parts.values()] == [40, 20, 20]
    assert parts["train"].texts[0] == ("hello there", "thank you")
    assert {features.status for features in parts["test"].features} == {1}
    assert regression(parts, 1)["auroc"] == 1


def test_the_command_leaves_a_result_with_every_row(tmp_path: Path) -> None:
    data = tmp_path / "convabuse"
    data.mkdir()
    for part in ("train", "valid", "test"):
        lines = [
            json.dumps(conversation("you fool" if i % 2 else "thank you", "x", i % 2, i)) for i in range(24)
        ]
        (data / f"{part}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run = CliRunner().invoke(
        main, [str(tmp_path), "convabuse", "--seeds", "1", "--out", str(tmp_path)], catch_exceptions=False
    )
    assert run.exit_code == 0
    result = json.loads((tmp_path / "messages_convabuse.json").read_text(encoding="utf-8"))
    assert [row["reads"] for row in result["rows"]][:4] == [
        "one message", "five", "one message", "five + writer + status"
    ]  # fmt: skip
    text = section([result])
    assert "Not run" not in text
    order = [text.index(f"| KimCNN + BiGRU | {reads} |") for reads in VARIANTS]
    assert order == sorted(order)
    assert str(tmp_path) not in json.dumps(result)


def row(system: str, reads: str, auroc: float, f1: float) -> dict[str, object]:
    figures = {"auroc": auroc, "average_precision": 0.5, "f1": f1}
    return {"system": system, "reads": reads} | {
        name: {"mean": mean, "deviation": 0.01, "runs": [mean, mean]} for name, mean in figures.items()
    }


def result(rows: list[dict[str, object]]) -> dict[str, object]:
    return {
        "set": "convabuse", "date": "2026-01-02", "command": "run", "seeds": [1, 2], "processor_minutes": 2.0,
        "versions": {"torch": "1"}, "machine": "m", "rows": rows,
    }  # fmt: skip


def test_the_verdict_says_above_equal_and_below_and_what_was_not_run() -> None:
    published = COURSES["convabuse"].published
    text = section(
        [
            result(
                [
                    row("TF-IDF + LR", "one message", 0.93, 0.6),
                    row("KimCNN + BiGRU", "one message", published["auroc"], 0.65),
                    row("KimCNN + BiGRU", "five + writer + status", 0.95, published["f1"] - 0.1),
                ]
            )
        ]
    )
    assert "AUROC of one message: 0.919, equal to the published 0.919, **below** the best regression" in text
    assert "AUROC of five + writer + status: 0.950, above the published 0.919, above the best" in text
    assert "F1 of five + writer + status: 0.600, **below** the published 0.700, equal to the best" in text
    assert "Not run: five, five + writer, five + status." in text
    assert (
        "| KimCNN + BiGRU | five + writer + status | 0.950 ± 0.010 | 0.500 ± 0.010 | **0.600 ± 0.010** |"
        in text
    )


def test_the_ablation_is_the_papers() -> None:
    assert [(v.get("turns", 5), v["writer"], v["status"]) for v in VARIANTS.values()] == [
        (1, False, False), (5, False, False), (5, True, False), (5, False, True), (5, True, True)
    ]  # fmt: skip
