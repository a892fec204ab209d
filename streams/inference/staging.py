"""Puts versions into the model repository and takes them out, so that a crash leaves no half-written version."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from streams.inference.contracts import ModelVersion, config_pbtxt
from streams.inference.repository import (
    CONFIG_FILE,
    GOLDEN_FILE,
    METADATA_FILE,
    MODEL_FILE,
    Metadata,
    RepositoryError,
    ServingOptions,
    read_golden,
    read_metadata,
    versions_of,
)

#: Holds the highest number that was removed after it had served.
_RETIRED = ".retired"


def place_version(repository: Path, source: Path, *, version: int | None = None) -> ModelVersion:
    """Copy a directory with model.onnx, metadata.json and golden.json in as the next version of its model.

    It is written and synced beside its place and renamed into it; then config.pbtxt is replaced by one that serves
    it beside the versions that are there. Numbers only rise: a worker may still ask for an old one. Raises
    RepositoryError when the source is not complete, or `version` is not above those that are there.
    """
    metadata = read_metadata(source)
    read_golden(source, metadata.model)
    if not (source / MODEL_FILE).is_file():
        raise RepositoryError(f"{source / MODEL_FILE}: no such file")
    there = versions_of(repository, metadata.model)
    directory = repository / metadata.model
    number = _next_version(metadata.model, there, _highest_retired(directory), version)
    directory.mkdir(parents=True, exist_ok=True)
    staging = directory / f".staging-{number}"
    if staging.exists():
        shutil.rmtree(staging)  # an earlier attempt was cut short
    staging.mkdir()
    for name in (MODEL_FILE, GOLDEN_FILE):
        shutil.copyfile(source / name, staging / name)
    described = json.dumps({**metadata.raw, "version": number}, indent=1, ensure_ascii=False)
    (staging / METADATA_FILE).write_text(described + "\n", encoding="utf-8")
    for path in (*staging.iterdir(), staging):
        _sync(path)
    staging.rename(directory / str(number))
    _sync(directory)
    write_config(repository, metadata.model)
    return ModelVersion(metadata.model, number)


def take_out(repository: Path, version: ModelVersion, *, retire: bool) -> None:
    """Write a configuration without the version, then delete its directory; the model's too with its last version.

    `retire`: its number is not given again, because predictions and alerts speak of it. Raises RepositoryError.
    """
    directory = repository / version.model / str(version.version)
    if not directory.is_dir():
        raise RepositoryError(f"{directory}: no such version")
    removed = directory.with_name(f".removed-{version.version}")
    directory.rename(removed)
    if versions_of(repository, version.model):
        if retire:
            retired = directory.with_name(_RETIRED)
            highest = max(version.version, _highest_retired(directory.parent))
            retired.write_text(f"{highest}\n", encoding="utf-8")
        write_config(repository, version.model)
        shutil.rmtree(removed)
    else:
        shutil.rmtree(directory.parent)


def write_config(repository: Path, model: str) -> None:
    """Replace config.pbtxt by one for the versions that are there; instances and queue delay stay as they were."""
    directory = repository / model
    path = directory / CONFIG_FILE
    options = (
        ServingOptions.read_from(path.read_text(encoding="utf-8")) if path.exists() else ServingOptions()
    )
    facts = {
        number: _metadata_of(directory, model, number).facts for number in versions_of(repository, model)
    }
    text = config_pbtxt(model, facts, instances=options.instances, queue_delay_us=options.queue_delay_us)
    new = directory / f".{CONFIG_FILE}.new"
    new.write_text(text, encoding="utf-8")
    _sync(new)
    new.replace(path)
    _sync(directory)


def _metadata_of(directory: Path, model: str, version: int) -> Metadata:
    metadata = read_metadata(directory / str(version))
    if metadata.model != model:
        raise RepositoryError(f"{directory / str(version) / METADATA_FILE}: speaks of {metadata.model}")
    return metadata


def _next_version(model: str, there: list[int], retired: int, wanted: int | None) -> int:
    highest = max(*there, retired, 0)
    if wanted is None:
        return highest + 1
    if wanted <= highest:
        raise RepositoryError(
            f"{model}/{wanted}: versions only rise, and {highest} is or was there; leave --version out to get {highest + 1}"
        )
    return wanted


def _highest_retired(directory: Path) -> int:
    path = directory / _RETIRED
    return int(path.read_text(encoding="utf-8")) if path.exists() else 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
