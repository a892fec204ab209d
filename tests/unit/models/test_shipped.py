"""The committed model repository: complete, small, and answering as its metadata and golden rows say."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.ship import MODELS
from streams.features.tensors import LISTING_BUCKETS, MESSAGE_BUCKETS
from streams.features.tokens import TOKENIZER
from streams.inference.contracts import VersionFacts, config_pbtxt, family_of
from streams.inference.repository import read_golden

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.train

REPOSITORY = Path(__file__).parents[3] / "triton_repo"
LARGEST_BYTES = 25_000_000


def test_the_repository_holds_every_model_and_stays_small() -> None:
    assert {path.name for path in REPOSITORY.iterdir() if path.is_dir()} == set(MODELS)
    assert sum(path.stat().st_size for path in REPOSITORY.rglob("*") if path.is_file()) < LARGEST_BYTES


@pytest.mark.parametrize("name", MODELS)
def test_each_model_answers_its_golden_rows_in_every_bucket(name: str) -> None:
    from models.export.graph import run, session

    directory = REPOSITORY / name / "1"
    golden = read_golden(directory, name)
    opened = session(onnx.load(directory / "model.onnx"))
    buckets = {"message": MESSAGE_BUCKETS, "listing": LISTING_BUCKETS}.get(family_of(name).name, (None,))
    for row in golden.rows:
        for bucket in buckets:
            inputs = {key: values[np.newaxis] for key, values in row.inputs.items()}
            if bucket is not None:
                missing = bucket - inputs["tokens"].shape[-1]
                if missing < 0:
                    continue
                inputs["tokens"] = np.pad(
                    inputs["tokens"], [(0, 0)] * (inputs["tokens"].ndim - 1) + [(0, missing)]
                )
            answer = run(opened, inputs)
            for key, expected in row.expected.items():
                assert np.abs(answer[key][0] - expected).max() < 1e-4


@pytest.mark.parametrize("name", MODELS)
def test_configuration_and_metadata_belong_to_this_release(name: str) -> None:
    metadata = json.loads((REPOSITORY / name / "1" / "metadata.json").read_text(encoding="utf-8"))
    facts = VersionFacts(metadata.get("tokenizer"), metadata.get("threshold"))
    assert (REPOSITORY / name / "config.pbtxt").read_text(encoding="utf-8") == config_pbtxt(name, {1: facts})
    if family_of(name).reads_tokens:
        assert metadata["tokenizer"] == TOKENIZER
        assert metadata["metrics"]["held_out"]["auroc"] > 0.9
        assert metadata["metrics"]["held_out"]["at_threshold"]["precision"] > 0.85


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("message_")])
def test_context_is_worth_having(name: str) -> None:
    ablation = json.loads((REPOSITORY / name / "1" / "metadata.json").read_text(encoding="utf-8"))["ablation"]
    last_alone = ablation["trained_on_last_message_only"]["average_precision"]
    assert ablation["all"]["average_precision"] > last_alone + 0.05


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("listing_")])
def test_text_and_picture_are_both_worth_having(name: str) -> None:
    ablation = json.loads((REPOSITORY / name / "1" / "metadata.json").read_text(encoding="utf-8"))["ablation"]
    for hidden in ("image_hidden", "text_hidden"):
        assert ablation["all"]["average_precision"] > ablation[hidden]["average_precision"]
