from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from streams.inference.contracts import ModelVersion, VersionFacts, config_pbtxt
from streams.inference.repository import (
    RepositoryError,
    ServingOptions,
    all_versions,
    read_golden,
    read_metadata,
    versions_of,
)
from streams.inference.staging import place_version, take_out, withdraw, write_config

METADATA = {"model": "message_x", "version": 9, "tokenizer": "t/1", "threshold": 0.5, "notes": ["あ"]}
ROW = {"inputs": {"tokens": [[1]] * 5, "writer": [1] * 5, "status": [0]}, "expected": {"score": [0.25]}}
GOLDEN = {"tolerance": 0.001, "rows": [ROW]}


def candidate(directory: Path, metadata: object = METADATA, golden: object = GOLDEN) -> Path:
    directory.mkdir(parents=True)
    (directory / "model.onnx").write_bytes(b"onnx")
    (directory / "metadata.json").write_text(json.dumps(metadata))
    (directory / "golden.json").write_text(json.dumps(golden))
    return directory


def test_golden_rows_have_the_contracts_types(tmp_path: Path):
    golden = read_golden(candidate(tmp_path / "a"), "message_x")
    assert golden.tolerance == 0.001
    [row] = golden.rows
    assert {name: (a.dtype, a.shape) for name, a in row.inputs.items()} == {
        "tokens": (np.int64, (5, 1)), "writer": (np.int64, (5,)), "status": (np.int64, (1,))
    }  # fmt: skip
    assert row.expected["score"].dtype == np.float32


@pytest.mark.parametrize(
    ("golden", "message"),
    [
        ({"rows": [ROW]}, "not as golden.json should be"),
        ({"tolerance": 0.01, "rows": []}, "holds no rows"),
        ({"tolerance": 1, "rows": [ROW]}, '"tolerance" is 1; beyond 0 to 0.1 rows prove nothing'),
        ({"tolerance": float("nan"), "rows": [ROW]}, '"tolerance" is nan'),
        ({"tolerance": 0.01, "rows": [{**ROW, "expected": {}}]}, "row 0 expects nothing; the contract"),
        ({"tolerance": 0.01, "rows": [{**ROW, "expected": {"gate": [1, 0]}}]}, "row 0 expects gate; the"),
        (
            {"tolerance": 0.01, "rows": [{**ROW, "inputs": {"tokens": [1]}}]},
            "row 0 has inputs tokens; the contract",
        ),
        (
            {"tolerance": 0.01, "rows": [{**ROW, "expected": {"score": "high"}}]},
            "not as golden.json should be",
        ),
        ([], "must be a JSON object"),
    ],
)
def test_bad_golden_files_are_explained(tmp_path: Path, golden, message):
    with pytest.raises(RepositoryError, match=f"golden.json: .*{message}|golden.json: {message}"):
        read_golden(candidate(tmp_path / "a", golden=golden), "message_x")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, '"model" must name the model'),
        ({"model": "spam"}, "is not a model name"),
        ({"model": "message_x"}, '"tokenizer" must name'),
        ({**METADATA, "threshold": 2}, "must be a number from 0 to 1"),
        ({**METADATA, "threshold": True}, "must be a number from 0 to 1"),
    ],
)
def test_bad_metadata_is_explained(tmp_path: Path, metadata, message):
    with pytest.raises(RepositoryError, match=message):
        read_metadata(candidate(tmp_path / "a", metadata))


def test_files_that_are_absent_or_no_json_are_named(tmp_path: Path):
    with pytest.raises(RepositoryError, match=r"metadata.json: No such file"):
        read_metadata(tmp_path)
    (tmp_path / "metadata.json").write_bytes(b"\xff{")
    with pytest.raises(RepositoryError, match=r"metadata.json: not JSON"):
        read_metadata(tmp_path)


def test_only_plain_numbers_are_versions(tmp_path: Path):
    for name in ("1", "10", "2", "03", "x", ".staging-4"):
        (tmp_path / "message_x" / name).mkdir(parents=True)
    (tmp_path / "message_x" / "7").write_text("a file")
    assert versions_of(tmp_path, "message_x") == [1, 2, 10]
    assert versions_of(tmp_path, "message_y") == []
    assert all_versions(tmp_path)[0] == ModelVersion("message_x", 1)
    with pytest.raises(RepositoryError, match="is not a directory"):
        all_versions(tmp_path / "none")


def test_a_placed_version_is_complete_and_served_beside_the_others(tmp_path: Path):
    repository = tmp_path / "repository"
    source = candidate(tmp_path / "a")
    assert place_version(repository, source) == ModelVersion("message_x", 1)
    assert place_version(repository, source, version=4) == ModelVersion("message_x", 4)
    assert place_version(repository, source) == ModelVersion("message_x", 5)
    files = sorted(p.name for p in (repository / "message_x" / "5").iterdir())
    assert files == ["golden.json", "metadata.json", "model.onnx"]
    assert read_metadata(repository / "message_x" / "5").raw == {**METADATA, "version": 5}
    facts = VersionFacts("t/1", 0.5)
    written = (repository / "message_x" / "config.pbtxt").read_text()
    assert written == config_pbtxt("message_x", {1: facts, 4: facts, 5: facts})
    assert sorted(p.name for p in (repository / "message_x").iterdir()) == ["1", "4", "5", "config.pbtxt"]


def test_an_attempt_that_was_cut_short_is_cleared_away(tmp_path: Path):
    for leftover in (".staging-1", ".staging-7", ".removed-3"):
        (tmp_path / "repository" / "message_x" / leftover / "half").mkdir(parents=True)
    place_version(tmp_path / "repository", candidate(tmp_path / "a"))
    assert sorted(p.name for p in (tmp_path / "repository" / "message_x").iterdir()) == ["1", "config.pbtxt"]


def test_a_withdrawn_version_keeps_its_files_and_is_served_no_more(tmp_path: Path):
    repository, source = tmp_path / "repository", candidate(tmp_path / "a")
    place_version(repository, source)
    withdraw(repository, ModelVersion("message_x", 1))
    config = repository / "message_x" / "config.pbtxt"
    assert "versions: [ 1 ]" in config.read_text(), "a configuration without versions is none"
    place_version(repository, source)
    withdraw(repository, ModelVersion("message_x", 2))
    assert "versions: [ 1 ]" in config.read_text()
    assert versions_of(repository, "message_x") == [1, 2]
    with pytest.raises(RepositoryError, match="no such version"):
        withdraw(repository, ModelVersion("message_x", 3))


def test_cut_short_while_deleting_the_configuration_already_leaves_the_version_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    repository, source = tmp_path / "repository", candidate(tmp_path / "a")
    for _ in range(2):
        place_version(repository, source)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        take_out(repository, ModelVersion("message_x", 2), retire=True)
    monkeypatch.undo()
    assert "versions: [ 1 ]" in (repository / "message_x" / "config.pbtxt").read_text()
    take_out(repository, ModelVersion("message_x", 2), retire=True)
    assert place_version(repository, source) == ModelVersion("message_x", 3)


def test_numbers_that_served_are_never_given_again(tmp_path: Path):
    repository, source = tmp_path / "repository", candidate(tmp_path / "a")
    for _ in range(3):
        place_version(repository, source)
    take_out(repository, ModelVersion("message_x", 3), retire=True)
    take_out(repository, ModelVersion("message_x", 2), retire=True)
    with pytest.raises(RepositoryError, match="message_x/3: versions only rise, and 3 is or was there"):
        place_version(repository, source, version=3)
    assert place_version(repository, source) == ModelVersion("message_x", 4)
    assert versions_of(repository, "message_x") == [1, 4]


def test_the_last_version_takes_the_model_with_it(tmp_path: Path):
    place_version(tmp_path / "repository", candidate(tmp_path / "a"))
    take_out(tmp_path / "repository", ModelVersion("message_x", 1), retire=True)
    assert list((tmp_path / "repository").iterdir()) == []
    with pytest.raises(RepositoryError, match="no such version"):
        take_out(tmp_path / "repository", ModelVersion("message_x", 1), retire=True)


def test_what_an_operator_tuned_is_kept(tmp_path: Path):
    repository = tmp_path / "repository"
    place_version(repository, candidate(tmp_path / "a"))
    path = repository / "message_x" / "config.pbtxt"
    path.write_text(config_pbtxt("message_x", {1: VersionFacts("t/1")}, instances=3, queue_delay_us=500))
    write_config(repository, "message_x")
    assert ServingOptions.read_from(path.read_text()) == ServingOptions(3, 500)
    assert ServingOptions.read_from("") == ServingOptions(1, 0)


def test_incomplete_candidates_change_nothing(tmp_path: Path):
    source = candidate(tmp_path / "a")
    (source / "model.onnx").unlink()
    with pytest.raises(RepositoryError, match=r"model\.onnx: no such file"):
        place_version(tmp_path / "repository", source)
    assert not (tmp_path / "repository").exists()


def test_metadata_of_another_model_in_the_repository_is_found(tmp_path: Path):
    candidate(tmp_path / "message_y" / "1")
    with pytest.raises(RepositoryError, match="speaks of message_x"):
        write_config(tmp_path, "message_y")
