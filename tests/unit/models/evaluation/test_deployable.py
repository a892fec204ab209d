"""Run folders and bare model directories, and what is said of anything else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from models.evaluation.deployable import NotDeployableError, deployables
from streams.features.tokens import TOKENIZER

MANIFEST = """\
name: message_harassment
kind: message
system: kimcnn_bigru
domain: harassment
label: abuse
data: convabuse
"""
METADATA = {
    "model": "message_harassment", "version": 3, "family": "message", "domain": "harassment",
    "tokenizer": TOKENIZER, "threshold": 0.5, "data": {"test": {"fingerprint": "sha256:f"}},
}  # fmt: skip


def model(directory: Path, **changed: Any) -> Path:
    directory.mkdir(parents=True)
    (directory / "model.onnx").write_bytes(b"")
    (directory / "metadata.json").write_text(json.dumps(METADATA | changed))
    return directory


def run(directory: Path) -> Path:
    model(directory / "models" / "message_harassment")
    (directory / "manifest.yaml").write_text(MANIFEST)
    return directory


def test_a_bare_model_takes_the_label_of_its_domain(tmp_path: Path) -> None:
    (found,) = deployables(model(tmp_path / "3"))
    assert (found.title, found.kind, found.label, found.threshold) == (
        "message_harassment/3",
        "message",
        "harassment",
        0.5,
    )
    assert found.manifest is None
    assert (found.part_of("sha256:f"), found.part_of("sha256:g")) == ("test", None)


def test_a_run_takes_the_label_of_its_manifest(tmp_path: Path) -> None:
    (found,) = deployables(run(tmp_path / "run"))
    assert found.label == "abuse"
    assert found.manifest is not None
    assert found.manifest.data == "convabuse"
    assert found.file == tmp_path / "run" / "models" / "message_harassment" / "model.onnx"


def test_a_model_within_a_run_knows_its_manifest(tmp_path: Path) -> None:
    (found,) = deployables(run(tmp_path / "run") / "models" / "message_harassment")
    assert found.label == "abuse"


def test_a_run_knows_the_files_that_it_has_learnt_from(tmp_path: Path) -> None:
    path = run(tmp_path / "run")
    assert deployables(path)[0].learnt_files == frozenset()
    parts = {part: {"file": f"{part}.jsonl"} for part in ("train", "valid", "test")}
    files = {f"{part}.jsonl": f"sha256:{part}" for part in parts}
    facts = {"state": "finished", "data": {"parts": parts, "files": files}}
    (path / "run.json").write_text(json.dumps(facts))
    assert deployables(path)[0].learnt_files == {"sha256:train", "sha256:valid"}
    assert deployables(path / "models" / "message_harassment")[0].learnt_files == {
        "sha256:train",
        "sha256:valid",
    }
    (path / "run.json").write_text("[]")
    with pytest.raises(NotDeployableError, match="no run"):
        deployables(path)


def test_all_models_of_a_run(tmp_path: Path) -> None:
    path = run(tmp_path / "run")
    model(path / "models" / "message_other", model="message_other", domain="other")
    assert [one.name for one in deployables(path)] == ["message_harassment", "message_other"]


def test_a_run_that_is_not_finished(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    with pytest.raises(NotDeployableError, match="not a run that has finished"):
        deployables(tmp_path)


def test_a_directory_of_versions_names_the_last(tmp_path: Path) -> None:
    for version in ("3", "9", "10"):
        model(tmp_path / "message_harassment" / version)
    with pytest.raises(
        NotDeployableError, match=re.escape("did you mean " + str(tmp_path / "message_harassment" / "10"))
    ):
        deployables(tmp_path / "message_harassment")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tokenizer": "other/1"}, "trained with tokeniser other/1"),
        ({"family": "image_encoder", "domain": None}, "only models that score a domain"),
        ({"version": None}, "not a model's metadata"),
    ],
)
def test_metadata_that_cannot_be_used(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(NotDeployableError, match=said):
        deployables(model(tmp_path / "3", **changed))


def test_a_model_without_metadata(tmp_path: Path) -> None:
    directory = model(tmp_path / "3")
    (directory / "metadata.json").unlink()
    with pytest.raises(NotDeployableError, match=r"metadata\.json: cannot be read"):
        deployables(directory)


def test_a_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    path = run(tmp_path / "run")
    (path / "manifest.yaml").write_text("name: 3\n")
    with pytest.raises(NotDeployableError, match="the run's manifest cannot be read"):
        deployables(path)
