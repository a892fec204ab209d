"""The synthetic experiment: what is drawn, that the gate finds the switch, and the section of the committed run."""

import json

import numpy as np
import pytest

from benchmarks.models.gmu_synthetic import draw, fitted, measured, section
from benchmarks.models.record import RESULTS

pytestmark = pytest.mark.train


def test_the_modality_that_speaks_tells_the_class_and_the_other_one_does_not() -> None:
    drawn = draw(4_000, 3)
    label = drawn.label.numpy() > 0.5
    for vector, speaks in ((drawn.text, drawn.by_text), (drawn.image, ~drawn.by_text)):
        right = (vector[:, 0].numpy() > 0) == label
        assert right[speaks].mean() > 0.9
        assert 0.45 < right[~speaks].mean() < 0.55
    assert 0.45 < np.mean(label[drawn.by_text]) < 0.55  # the switch says nothing of the class
    assert np.array_equal(draw(10, 3).text.numpy(), draw(10, 3).text.numpy())


def test_a_gate_trained_on_labels_alone_finds_the_switch() -> None:
    test = draw(1_000, 8)
    gmu, alone = (measured(fitted(name, draw(1_000, 7), 1), test) for name in ("gmu", "text alone"))
    assert gmu["gate_accuracy"] > 0.85
    assert gmu["gate_auroc"] > 0.9
    assert gmu["accuracy"] > alone["accuracy"] + 0.1
    assert "gate_auroc" not in alone


def test_the_section_says_what_the_committed_run_found() -> None:
    result = json.loads((RESULTS / "gmu_synthetic.json").read_text(encoding="utf-8"))
    text = section(result)
    gmu = next(row for row in result["rows"] if row["row"] == "gmu")
    assert f"| gmu | {gmu['accuracy']['mean']:.3f} ± {gmu['accuracy']['deviation']:.3f} |" in text
    assert f"with {gmu['gate_accuracy']['mean']:.1%} accuracy" in text
