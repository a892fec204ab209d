"""What is evaluated: the very file that would be deployed, from a run folder or a directory of a model repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.data.examples import Kind
from models.manifests import Manifest, ManifestError, read_manifest
from models.runs.folder import METADATA_FILE, MODEL_FILE, RunFolder, RunFolderError
from streams.features.tokens import TOKENIZER


class NotDeployableError(ValueError):
    """A path that holds no model that can be scored here; says what is missing and what to give instead."""


@dataclass(frozen=True, slots=True)
class Deployable:
    """A model file with what stands beside it. `manifest` is None unless the model lies in a run folder."""

    directory: Path
    name: str
    version: int
    kind: Kind
    domain: str
    threshold: float | None
    metadata: Mapping[str, Any]
    manifest: Manifest | None = None
    #: SHA-256 of the files that the run's training and validation parts stand in.
    learnt_files: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """`message_harassment/1`, as policies, predictions and recorded scores name it."""
        return f"{self.name}/{self.version}"

    @property
    def file(self) -> Path:
        """The ONNX file."""
        return self.directory / MODEL_FILE

    @property
    def label(self) -> str:
        """The domain's label in the data, where the manifest gives it another name than the domain's."""
        return self.domain if self.manifest is None else self.manifest.labels.get(self.domain, self.domain)

    def part_of(self, fingerprint: str) -> str | None:
        """The part of the model's own data that has this fingerprint."""
        parts = self.metadata.get("data") or {}
        return next((name for name, part in parts.items() if part.get("fingerprint") == fingerprint), None)


def deployables(path: Path) -> list[Deployable]:
    """The models of a run folder, or the one in a directory with model.onnx and metadata.json.

    Raises NotDeployableError.
    """
    if (path / MODEL_FILE).is_file():
        above = _run_above(path)
        return [_read(path, None, frozenset()) if above is None else _read_in(above, path)]
    run = RunFolder(path)
    if run.manifest.is_file():
        try:
            return [_read_in(run, directory) for directory in run.models()]
        except RunFolderError as error:
            raise NotDeployableError(str(error)) from error
    versions = sorted(
        (found.parent for found in path.glob(f"*/{MODEL_FILE}")),
        key=lambda found: (len(found.name), found.name),
    )
    hint = f"; did you mean {versions[-1]}?" if versions else ""
    raise NotDeployableError(
        f"{path}: neither a run folder (manifest.yaml, models/) nor a model ({MODEL_FILE}, {METADATA_FILE}){hint}"
    )


def _run_above(model: Path) -> RunFolder | None:
    """The run that a model directory RUN/models/NAME lies in."""
    run = RunFolder(model.absolute().parent.parent)
    return run if model.absolute() == run.model(model.name) and run.manifest.is_file() else None


def _read_in(run: RunFolder, model: Path) -> Deployable:
    return _read(model, _manifest(run.manifest), _learnt_files(run))


def _learnt_files(run: RunFolder) -> frozenset[str]:
    """A fingerprint of examples cannot tell all of train.jsonl from the negatives that were drawn from it; this does."""
    try:
        data = (run.read_facts() or {}).get("data", {})
    except RunFolderError as error:
        raise NotDeployableError(str(error)) from error
    parts, digests = data.get("parts", {}), data.get("files", {})
    names = [parts[part]["file"] for part in ("train", "valid") if part in parts]
    return frozenset(digests[name] for name in names if name in digests)


def _manifest(path: Path) -> Manifest:
    try:
        return read_manifest(path)
    except ManifestError as error:
        raise NotDeployableError(f"the run's manifest cannot be read:\n{error}") from error


def _read(directory: Path, manifest: Manifest | None, learnt_files: frozenset[str]) -> Deployable:
    path = directory / METADATA_FILE
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        name, version, family = metadata["model"], int(metadata["version"]), metadata["family"]
        domain, tokenizer = metadata.get("domain"), metadata.get("tokenizer")
    except OSError as error:
        raise NotDeployableError(
            f"{path}: cannot be read ({error.strerror}): it says which domain is scored"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotDeployableError(f"{path}: not a model's metadata: {error!r}") from error
    if family not in ("message", "listing") or domain is None:
        raise NotDeployableError(
            f"{path}: {name} is of family {family}, domain {domain}: only models that score a domain can be evaluated"
        )
    if tokenizer != TOKENIZER:
        raise NotDeployableError(
            f"{path}: trained with tokeniser {tokenizer}, this release has {TOKENIZER}: its scores would be "
            "meaningless. Train it again, or use the matching release"
        )
    return Deployable(
        directory, name, version, family, domain, metadata.get("threshold"), metadata, manifest, learnt_files
    )
