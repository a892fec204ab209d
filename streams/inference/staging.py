"""Puts versions into the model repository and takes them out, so that a crash leaves no half-written version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from streams.inference.contracts import ModelVersion, config_pbtxt
from streams.inference.durable import replace_text, sync
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
#: Versions on their way in and out; the number follows.
_STAGING, _REMOVED = ".staging-", ".removed-"


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
    _clear_leftovers(directory)
    staging = directory / f"{_STAGING}{number}"
    staging.mkdir()
    for name in (MODEL_FILE, GOLDEN_FILE):
        shutil.copyfile(source / name, staging / name)
    described = json.dumps({**metadata.raw, "version": number}, indent=1, ensure_ascii=False)
    (staging / METADATA_FILE).write_text(described + "\n", encoding="utf-8")
    for path in (*staging.iterdir(), staging):
        sync(path)
    staging.rename(directory / str(number))
    for path in (directory, repository):  # the model's own entry too, which is new with its first version
        sync(path)
    write_config(repository, metadata.model)
    return ModelVersion(metadata.model, number)


def withdraw(repository: Path, version: ModelVersion) -> None:
    """Write a configuration that no longer serves the version; its files stay until `take_out`.

    Of a model's last version nothing changes: a configuration without versions is none. Raises RepositoryError.
    """
    _require(repository, version)
    if versions_of(repository, version.model) != [version.version]:
        write_config(repository, version.model, without=version.version)


def take_out(repository: Path, version: ModelVersion, *, retire: bool) -> None:
    """Write a configuration without the version, then delete its directory; the model's too with its last version.

    `retire`: its number is not given again, because predictions and alerts speak of it. Raises RepositoryError.
    """
    directory = _require(repository, version)
    # The configuration first: cut short in between, a server that starts then serves the others, where one that
    # named a missing directory would serve none of them.
    withdraw(repository, version)
    if versions_of(repository, version.model) == [version.version]:
        shutil.rmtree(directory.parent)
        sync(repository)
        return
    if retire:
        highest = max(version.version, _highest_retired(directory.parent))
        replace_text(directory.with_name(_RETIRED), f"{highest}\n")
    removed = directory.with_name(f"{_REMOVED}{version.version}")
    directory.rename(removed)
    sync(directory.parent)
    shutil.rmtree(removed)


def write_config(repository: Path, model: str, *, without: int | None = None) -> None:
    """Replace config.pbtxt by one for the versions that are there; instances and queue delay stay as they were."""
    directory = repository / model
    path = directory / CONFIG_FILE
    options = (
        ServingOptions.read_from(path.read_text(encoding="utf-8")) if path.exists() else ServingOptions()
    )
    facts = {
        number: _metadata_of(directory, model, number).facts
        for number in versions_of(repository, model)
        if number != without
    }
    text = config_pbtxt(model, facts, instances=options.instances, queue_delay_us=options.queue_delay_us)
    replace_text(path, text)


def _require(repository: Path, version: ModelVersion) -> Path:
    directory = repository / version.model / str(version.version)
    if not directory.is_dir():
        raise RepositoryError(f"{directory}: no such version")
    return directory


def _clear_leftovers(directory: Path) -> None:
    """Delete what attempts that were cut short left; no server looks at names that begin with a dot."""
    for leftover in directory.iterdir():
        if leftover.name.startswith((_STAGING, _REMOVED)):
            shutil.rmtree(leftover)


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
