"""`sekisho train` as people run it: on after a kill, all manifests of a directory, and refusals with their exit code."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.commands.train import command as train_command
from tests.unit.models.labelled import listing_directory, message_directory, window, write

pytestmark = pytest.mark.train

MANIFEST = """name: message_harassment
kind: message
system: kimcnn_bigru
domain: harassment
network: {embedding_width: 16, filters: 12, hidden: 12}
training: {epochs: EPOCHS, batch_size: 8, learning_rate: 0.01}
"""
LISTING = """name: listing_counterfeit
kind: listing
system: fusion_network
domain: counterfeit
data: goods
network: {text_width: 8, fused_width: 8, hidden: 8}
training: {epochs: 2, batch_size: 16}
sampling: {negatives_per_positive: all}
"""
#: Enough that the process is still training when the first of them is seen.
EPOCHS = 15


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "streams.cli", "train", *map(str, arguments)]


def sekisho(*arguments: str | Path) -> Result:
    """In this process: starting another one takes seconds."""
    return CliRunner().invoke(train_command, [*map(str, arguments)])


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)


def environment() -> dict[str, str]:
    root = Path(__file__).parents[3]
    own = {
        "PYTHONPATH": str(root),
        "SEKISHO_MODEL_REPOSITORY": str(root / "triton_repo"),
        "OMP_NUM_THREADS": "1",
    }
    return {**os.environ, **own}


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return message_directory(tmp_path_factory.mktemp("messages"), train=160, others=100)


def config(directory: Path, epochs: int) -> Path:
    path = directory / "harassment.yaml"
    path.write_text(MANIFEST.replace("EPOCHS", str(epochs)), encoding="utf-8")
    return path


#: Two processes that import torch: 20 s on an idle machine, minutes on one whose cores are taken.
@pytest.mark.timeout(900)
def test_a_killed_training_goes_on_and_ends_with_the_same_bits(messages: Path, tmp_path: Path) -> None:
    manifest = config(tmp_path, EPOCHS)
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"
    arguments = ("message", "--config", manifest, "--data", messages, "--out")
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            command(*arguments, interrupted), cwd=tmp_path, env=environment(), stdout=said, stderr=said
        )
        epochs = interrupted / "epochs.jsonl"
        while process.poll() is None and (not epochs.exists() or epochs.read_bytes().count(b"\n") < 3):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = epochs.read_bytes().count(b"\n")
    assert 3 <= done < EPOCHS, (tmp_path / "said").read_text()
    assert json.loads((interrupted / "run.json").read_text())["state"] == "running"
    assert not (interrupted / "models").exists()

    resumed = subprocess.run(
        command(*arguments, interrupted),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert resumed.returncode == 0, resumed.stderr
    assert "going on from the last finished epoch" in resumed.stderr
    uninterrupted = sekisho(*arguments, whole)
    assert uninterrupted.exit_code == 0, uninterrupted.output
    assert resumed.stdout.replace(str(interrupted), "X") == uninterrupted.stdout.replace(str(whole), "X")
    for name in ("model.onnx", "metadata.json", "golden.json"):
        file = Path("models") / "message_harassment" / name
        assert (interrupted / file).read_bytes() == (whole / file).read_bytes()
    histories = [
        [{**json.loads(line), "seconds": 0} for line in (run / "epochs.jsonl").read_text().splitlines()]
        for run in (interrupted, whole)
    ]
    assert histories[0] == histories[1]
    facts = json.loads((interrupted / "run.json").read_text())
    assert (facts["state"], facts["resumed"]) == ("finished", 1)
    assert not (interrupted / "checkpoint.pt").exists()


def test_all_manifests_are_walked_past_a_bad_one_and_finished_ones_are_skipped(tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    config(manifests, 1)
    (manifests / "counterfeit.yaml").write_text(LISTING, encoding="utf-8")
    (manifests / "a_bad_one.yaml").write_text("name: message_x\nkind: mesage\n", encoding="utf-8")
    (manifests / "no_data.yaml").write_text(
        MANIFEST.replace("EPOCHS", "1").replace("message_harassment", "message_other") + "data: lost\n",
        encoding="utf-8",
    )
    data = message_directory(tmp_path / "data", train=120, others=100)
    listing_directory(data / "goods")
    arguments = ("--all", manifests, "--data", data, "--out", tmp_path / "runs")
    found = sekisho(*arguments)
    assert found.exit_code == 1
    assert "2 of 4 trained" in found.stdout
    assert 'a_bad_one.yaml:2:7: manifest.wrong-value: "kind" is "mesage"' in found.stderr
    assert "lost: no such directory" in found.stderr
    assert "Traceback" not in found.stderr
    trained = {path.parent.name for path in (tmp_path / "runs").glob("*/metrics.json")}
    assert trained == {"message_harassment", "listing_counterfeit"}
    assert list((tmp_path / ".sekisho" / "image_features").glob("*.features"))

    (manifests / "a_bad_one.yaml").unlink()
    (manifests / "no_data.yaml").unlink()
    again = sekisho(*arguments)
    assert again.exit_code == 0
    assert again.stdout.count("finished before") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("message", "--data", "."), "give --config FILE for one model, or --all DIR"),
        (("--data", ".", "--config", "harassment.yaml"), "say which kind"),
        (("listing", "--data", ".", "--config", "harassment.yaml"), "harassment.yaml is of kind message"),
        (("message", "--data", ".", "--config", "harassment.yaml"), "no train.jsonl or train.parquet"),
        (("message", "--data", "shape", "--config", "harassment.yaml"), "train.jsonl:2: not a window"),
        (("message", "--data", "shape", "--config", "unknown.yaml"), 'unknown.yaml:1:1: manifest.unknown-key'),
        (("--all", "shape", "--data", "."), "no *.yaml in it"),
        (("message", "--data", "shape", "--config", "harassment.yaml", "--rules", "rules"), "rules"),
        (("message", "--data", ".", "--config", "harassment.yaml", "--device", "cuda"), "no GPU"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_and_ends_with_code_2(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    import torch

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    config(tmp_path, 1)
    (tmp_path / "unknown.yaml").write_text("nam: x\n", encoding="utf-8")
    write(tmp_path / "shape" / "train.jsonl", [window("a"), {"messages": [{"text": 1}], "labels": {}}])
    write(tmp_path / "shape" / "valid.jsonl", [window("b")])
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "broken.yaml").write_text("format: 9\n", encoding="utf-8")
    found = sekisho(*arguments)
    assert found.exit_code == 2, found.stderr
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_word_vectors_of_a_manifest_start_the_embedding(messages: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.txt"
    words = ["です", "ます", "the", "you", "は"]
    vectors.write_text(
        f"{len(words)} 16\n" + "".join(f"{word} {' '.join(['0.5'] * 16)}\n" for word in words),
        encoding="utf-8",
    )
    path = config(tmp_path, 1)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("embedding_width: 16", f"embedding_width: 16, word_vectors: {vectors}"))
    done = sekisho("message", "--config", path, "--data", messages, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "word vectors: 5 of " in done.output
    metadata = tmp_path / "run" / "models" / "message_harassment" / "metadata.json"
    assert json.loads(metadata.read_text())["network"]["word_vectors"] == "vectors.txt"

    path.write_text(text.replace("embedding_width: 16", "embedding_width: 16, word_vectors: /none.vec"))
    refused = sekisho("message", "--config", path, "--data", messages, "--out", tmp_path / "second")
    assert refused.exit_code == 2
    assert "/none.vec: No such file" in refused.output


def test_an_interrupted_training_says_that_it_goes_on(
    messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle: what the signal raises in this process."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as changed:
        changed.setattr("models.runs.recorder.Recorder.epoch", interrupted)
        stopped = sekisho("message", "--config", config(tmp_path, 2), "--data", messages, "--out", "r")
    assert stopped.exit_code == 1
    assert "interrupted; the same command goes on from the last finished epoch in r" in stopped.stderr
    again = sekisho("message", "--config", config(tmp_path, 2), "--data", messages, "--out", "r")
    assert again.exit_code == 0, again.output
    assert "going on from the last finished epoch" in again.stderr


def test_a_full_disk_is_named_with_the_place(messages: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        found = sekisho("message", "--config", config(tmp_path, 2), "--data", messages, "--out", "r")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert found.exit_code == 2
    assert "File too large: 'r'" in found.stderr
