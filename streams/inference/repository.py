"""The model repository on disk: which versions there are, and what stands beside each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.inference.contracts import ModelVersion, VersionFacts, family_of

MODEL_FILE = "model.onnx"
METADATA_FILE = "metadata.json"
GOLDEN_FILE = "golden.json"
CONFIG_FILE = "config.pbtxt"

#: Half precision and TF32 stay well below; a golden row that any model of the family passes would check nothing.
LARGEST_TOLERANCE = 0.1

_NUMPY_TYPES: Mapping[str, type[np.generic]] = {"INT64": np.int64, "FP32": np.float32, "UINT8": np.uint8}


class RepositoryError(ValueError):
    """A file of the model repository, or of a version to be added, cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What metadata.json says about a version; `raw` is all of it."""

    model: str
    tokenizer: str | None
    threshold: float | None
    raw: Mapping[str, Any]

    @property
    def facts(self) -> VersionFacts:
        """What of it goes into config.pbtxt."""
        return VersionFacts(self.tokenizer, self.threshold)


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """Inputs of one row and what the model answered when it was exported, without the batch dimension."""

    inputs: Mapping[str, npt.NDArray[Any]]
    expected: Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Golden:
    """Rows to check a served version by; scores may differ by `tolerance`."""

    tolerance: float
    rows: tuple[GoldenRow, ...]


def read_metadata(directory: Path) -> Metadata:
    """metadata.json of a version directory. Raises RepositoryError."""
    path = directory / METADATA_FILE
    raw = _read_json(path)
    model, tokenizer, threshold = raw.get("model"), raw.get("tokenizer"), raw.get("threshold")
    if not isinstance(model, str):
        raise RepositoryError(f'{path}: "model" must name the model')
    try:
        family = family_of(model)
    except ValueError as error:
        raise RepositoryError(f"{path}: {error}") from error
    if family.reads_tokens and not isinstance(tokenizer, str):
        raise RepositoryError(f'{path}: "tokenizer" must name the tokeniser that the model was trained with')
    if threshold is not None and not (_is_number(threshold) and 0 <= threshold <= 1):
        raise RepositoryError(f'{path}: "threshold" must be a number from 0 to 1, not {threshold!r}')
    return Metadata(model, tokenizer, None if threshold is None else float(threshold), raw)


def read_golden(directory: Path, model: str) -> Golden:
    """golden.json of a version directory, `{"tolerance", "rows": [{"inputs", "expected"}]}`. Raises RepositoryError.

    Inputs become arrays of the types that the family's contract names.
    """
    path = directory / GOLDEN_FILE
    raw = _read_json(path)
    family = family_of(model)
    types = {tensor.name: _NUMPY_TYPES[tensor.data_type] for tensor in family.inputs}
    outputs = {tensor.name for tensor in family.outputs}
    rows: list[GoldenRow] = []
    try:
        tolerance = float(raw["tolerance"])
        if not 0 <= tolerance <= LARGEST_TOLERANCE:
            raise RepositoryError(
                f'{path}: "tolerance" is {tolerance:g}; beyond 0 to {LARGEST_TOLERANCE:g} rows prove nothing'
            )
        for row in raw["rows"]:
            if set(row["inputs"]) != set(types):
                raise RepositoryError(
                    f"{path}: row {len(rows)} has inputs {', '.join(sorted(row['inputs']))}; "
                    f"the contract says {', '.join(sorted(types))}"
                )
            if not row["expected"] or not set(row["expected"]) <= outputs:
                raise RepositoryError(
                    f"{path}: row {len(rows)} expects {', '.join(sorted(row['expected'])) or 'nothing'}; "
                    f"the contract's outputs are {', '.join(sorted(outputs))}"
                )
            inputs = {name: np.array(values, types[name]) for name, values in row["inputs"].items()}
            expected = {name: np.array(values, np.float32) for name, values in row["expected"].items()}
            rows.append(GoldenRow(inputs, expected))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RepositoryError):
            raise
        raise RepositoryError(f"{path}: not as golden.json should be: {error!r}") from error
    if not rows:
        raise RepositoryError(f"{path}: holds no rows, so nothing could be checked")
    return Golden(tolerance, tuple(rows))


def versions_of(repository: Path, model: str) -> list[int]:
    """Numbers of the version directories of a model, ascending; none for a model that is not there."""
    directory = repository / model
    if not directory.is_dir():
        return []
    return sorted(int(entry.name) for entry in directory.iterdir() if _is_version(entry))


def all_versions(repository: Path) -> list[ModelVersion]:
    """Every version on disk, in order. Raises RepositoryError when the repository is not a directory."""
    if not repository.is_dir():
        raise RepositoryError(
            f"the model repository {repository} is not a directory (SEKISHO_MODEL_REPOSITORY)"
        )
    models = sorted(entry.name for entry in repository.iterdir() if entry.is_dir())
    return [ModelVersion(model, version) for model in models for version in versions_of(repository, model)]


@dataclass(frozen=True, slots=True)
class ServingOptions:
    """What an operator may have changed in a config.pbtxt, so that writing it anew keeps it."""

    instances: int = 1
    queue_delay_us: int = 0

    @classmethod
    def read_from(cls, config: str) -> ServingOptions:
        """From the text of a config.pbtxt that `config_pbtxt` once wrote."""
        instances = re.search(r"instance_group\s*\[\s*\{[^}]*\bcount:\s*(\d+)", config)
        delay = re.search(r"max_queue_delay_microseconds:\s*(\d+)", config)
        return cls(int(instances[1]) if instances else 1, int(delay[1]) if delay else 0)


def _is_version(entry: Path) -> bool:
    # "01" would be the same version to Triton and another one to us.
    return entry.is_dir() and re.fullmatch(r"[1-9]\d*", entry.name) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RepositoryError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or not JSON
        raise RepositoryError(f"{path}: not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise RepositoryError(f"{path}: must be a JSON object")
    return raw
