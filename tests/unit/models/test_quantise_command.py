"""From a model's directory to the version for the CPU: decided by what was measured, and deployable either way."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner

from marketplace.__main__ import main as generate
from models.data.datasets import MessageSet, message_set, read_examples
from models.data.tables import message_table
from models.data.vocabulary import build_vocabulary
from models.export.cpu_version import Labelled, as_many_alerts, cpu_version, scored, write_cpu_version
from models.export.golden import message_rows
from models.export.graph import message_onnx, round_to_half, run, session, stored_half
from models.export.metadata import ModelMetadata, Part
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.runs.exported import write_model
from models.training.loop import TrainingPlan, train
from streams.cli.models import command
from streams.features.tokens import TOKENIZER, TextPipeline
from streams.inference.repository import read_golden, read_metadata

pytestmark = pytest.mark.train

DOMAIN = "contact_exchange"
#: Rows of the validation part that alert.
ALERTS = 20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus")
    arguments = ["examples", "--out", str(out), "--messages", "1800", "--listings", "0"]
    assert CliRunner().invoke(generate, arguments).exit_code == 0
    return out / "messages"


@pytest.fixture(scope="module")
def parts(data: Path) -> dict[str, MessageSet]:
    text = TextPipeline()
    return {
        part: message_set(read_examples(data / f"{part}.jsonl"), text) for part in ("train", "valid", "test")
    }


@pytest.fixture(scope="module")
def source(parts: dict[str, MessageSet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trained model, as a run leaves it."""
    training = parts["train"]
    words = build_vocabulary(tokens for window in training.features for tokens in window.tokens)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network = ConversationNetwork(words.size, ConversationShape(embedding_width=32, filters=16, hidden=16))
    table = message_table(training.features, training.labels[DOMAIN], words)
    train(network, table, table, TrainingPlan(epochs=2))
    round_to_half(network)
    model = stored_half(message_onnx(network, words))
    threshold = float(np.sort(scored(session(model), parts["valid"]))[-ALERTS])
    metadata = ModelMetadata(
        model=f"message_{DOMAIN}", version=1, family="message", tokenizer=TOKENIZER, seed=1, domain=DOMAIN,
        threshold=threshold, data={"training": Part(training.fingerprint, len(training.features), 1)},
    )  # fmt: skip
    directory = tmp_path_factory.mktemp("model") / f"message_{DOMAIN}"
    golden = message_rows(parts["test"].features, parts["test"].labels[DOMAIN])
    write_model(directory, model, metadata, golden)
    return directory


def labelled(parts: dict[str, MessageSet], part: str) -> Labelled:
    return Labelled(part, parts[part], parts[part].labels[DOMAIN])


def made(source: Path, parts: dict[str, MessageSet], *, fp32_us: float, int8_us: float):
    """The version, with speeds that are handed in: what they are is the machine's."""
    return cpu_version(
        onnx.load(source / "model.onnx"),
        read_metadata(source).threshold,
        calibration=parts["train"],
        picking=labelled(parts, "valid"),
        judging=labelled(parts, "test"),
        measure_speed=lambda _, __, batch: [fp32_us / batch, int8_us / batch],
    )


def answers_its_golden_rows(directory: Path) -> bool:
    golden = read_golden(directory, f"message_{DOMAIN}")
    opened = session(onnx.load(directory / "model.onnx"))
    return all(
        np.abs(run(opened, {n: v[np.newaxis] for n, v in row.inputs.items()})["score"][0] - row.expected["score"])
        <= 1e-5
        for row in golden.rows
    )  # fmt: skip


def test_int8_gets_golden_rows_a_threshold_and_metrics_of_its_own(source, parts, tmp_path) -> None:
    version = made(source, parts, fp32_us=100, int8_us=40)
    assert version.decision.ship == "int8", version.decision.reason
    write_cpu_version(source, tmp_path / "out", version)
    metadata = read_metadata(tmp_path / "out")
    assert metadata.raw["quantisation"]["shipped"] == "int8"
    assert metadata.raw["quantisation"]["speed_ratio"] == {"1": 2.5, "64": 2.5}
    assert metadata.raw["quantisation"]["judged_on"].startswith("test, speed at length ")
    assert metadata.raw["metrics"]["test"]["examples"] == 300
    assert metadata.raw["data"] == read_metadata(source).raw["data"]
    assert answers_its_golden_rows(tmp_path / "out")
    assert read_golden(tmp_path / "out", f"message_{DOMAIN}").tolerance == 0.02
    opened = [session(onnx.load(d / "model.onnx")) for d in (source, tmp_path / "out")]
    before, after = (scored(one, parts["valid"]) for one in opened)
    assert (before >= read_metadata(source).threshold - 1e-6).sum() == ALERTS
    assert metadata.threshold != read_metadata(source).threshold
    assert (after >= metadata.threshold).sum() == pytest.approx(ALERTS, abs=1)
    assert not np.array_equal(before, after)


def test_a_model_that_gains_nothing_stays_as_it_is_and_says_why(source, parts, tmp_path) -> None:
    version = made(source, parts, fp32_us=100, int8_us=95)
    write_cpu_version(source, tmp_path / "out", version)
    assert (tmp_path / "out" / "model.onnx").read_bytes() == (source / "model.onnx").read_bytes()
    metadata = read_metadata(tmp_path / "out")
    assert metadata.threshold == read_metadata(source).threshold
    assert metadata.raw["quantisation"]["shipped"] == "fp32"
    assert "only 1.05 times as fast" in metadata.raw["quantisation"]["reason"]
    assert "metrics" not in metadata.raw
    assert read_golden(tmp_path / "out", f"message_{DOMAIN}").tolerance == 2e-3
    assert answers_its_golden_rows(tmp_path / "out")


def test_the_command_measures_for_itself_and_says_what_it_decided(source, data, tmp_path) -> None:
    arguments = ["quantise", str(source), "--data", str(data), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    decided = read_metadata(tmp_path / "out").raw["quantisation"]
    assert f"message_{DOMAIN}: {decided['shipped']}: {decided['reason']}" in result.stdout
    assert set(decided["fp32"]["us_per_row"]) == {"1", "64"}
    assert all(us > 0 for file in ("fp32", "int8") for us in decided[file]["us_per_row"].values())
    assert answers_its_golden_rows(tmp_path / "out")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda model, data: (data / "valid.jsonl").unlink(), "no valid.jsonl"),
        (lambda model, data: (model / "golden.json").unlink(), "golden.json: No such file"),
        (lambda model, data: (model / "model.onnx").unlink(), "neither a run folder"),
    ],
)
def test_what_is_missing_is_named(source, data, tmp_path, spoil, message) -> None:
    import shutil

    model, own = tmp_path / "model", tmp_path / "data"
    shutil.copytree(source, model)
    shutil.copytree(data, own)
    spoil(model, own)
    arguments = ["quantise", str(model), "--data", str(own), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def test_the_model_itself_is_not_written_over(source: Path, data: Path) -> None:
    before = (source / "metadata.json").read_bytes()
    result = CliRunner().invoke(
        command, ["quantise", str(source), "--data", str(data), "--out", f"{source}/."]
    )
    assert result.exit_code == 2
    assert "is the model itself" in result.stderr
    assert (source / "metadata.json").read_bytes() == before


def test_as_many_alerts_as_before() -> None:
    before, after = np.array([0.1, 0.5, 0.6, 0.9]), np.array([0.2, 0.7123456789, 0.4, 0.8])
    assert as_many_alerts(before, 0.55, after) == 0.712345
    assert as_many_alerts(before, 0.95, after) == 0.95
    assert json.dumps(as_many_alerts(before, 0.05, after)) == "0.2"
