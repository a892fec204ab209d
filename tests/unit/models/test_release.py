"""From data to the files of the model repository, small; what the serving side reads of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.export.graph import run, session
from models.networks.conversation import ConversationShape
from models.networks.listing import ListingShape
from models.ship import MODELS, make, ship, summary
from models.shipped.corpus import Sizes
from models.shipped.plan import ReleasePlan
from models.training.loop import TrainingPlan
from streams.features.tokens import TOKENIZER
from streams.inference.repository import read_golden

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.train

PLAN = ReleasePlan(
    seed=5,
    version=4,
    wanted_precision=0.3,
    message_sizes=Sizes(training=400, selection=200, threshold=600, held_out=600, unseen=600),
    listing_sizes=Sizes(training=120, selection=60, threshold=150, held_out=150, unseen=150),
    message_shape=ConversationShape(embedding_width=16, filters=8, hidden=8),
    listing_shape=ListingShape(text_width=8, fused_width=8, hidden=8),
    message_training=TrainingPlan(epochs=1),
    listing_training=TrainingPlan(epochs=1),
)


def test_a_message_model_is_complete_and_the_same_each_time(tmp_path: Path) -> None:
    name = "message_harassment"
    for out in ("a", "b"):
        (released,) = make((name,), tmp_path / out, PLAN)
    directory = tmp_path / "a" / name / "4"
    assert {path.name for path in directory.iterdir()} == {"model.onnx", "metadata.json", "golden.json"}
    for file in (*directory.iterdir(), tmp_path / "a" / name / "config.pbtxt"):
        other = tmp_path / "b" / file.relative_to(tmp_path / "a")
        assert file.read_bytes() == other.read_bytes(), file.name
    metadata = json.loads((directory / "metadata.json").read_text(encoding="utf-8"))
    assert metadata["tokenizer"] == TOKENIZER
    assert metadata["metrics"]["held_out"]["examples"] == 600
    assert set(metadata["ablation"]) == {"all", "writer_and_status_hidden", "trained_on_last_message_only"}
    assert metadata["data"]["training"]["fingerprint"].startswith("sha256:")
    assert metadata.get("threshold") == released.metadata.threshold
    config = (tmp_path / "a" / name / "config.pbtxt").read_text(encoding="utf-8")
    assert f'"{TOKENIZER}"' in config
    assert "versions: [ 4 ]" in config
    assert name in summary([released])


def test_listing_models_and_encoder_answer_their_golden_rows(tmp_path: Path) -> None:
    released = ship(tmp_path, PLAN, only=("listing_counterfeit", "image_encoder"), jobs=2)
    assert [one.metadata.model for one in released] == ["image_encoder", "listing_counterfeit"]
    for one in released:
        directory = tmp_path / one.metadata.model / "4"
        golden = read_golden(directory, one.metadata.model)
        opened = session(onnx.load(directory / "model.onnx"))
        for row in golden.rows:
            answer = run(opened, {name: values[np.newaxis] for name, values in row.inputs.items()})
            for name, expected in row.expected.items():
                assert np.abs(answer[name][0] - expected).max() < 1e-4
    metadata = released[1].metadata
    assert set(metadata.gate) == {"violation", "no_violation"}
    assert set(metadata.ablation) == {"all", "image_hidden", "text_hidden"}


def test_unknown_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="message_spam"):
        ship(tmp_path, PLAN, only=("message_spam",))
    assert len(MODELS) == 6
