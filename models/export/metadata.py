"""What stands beside a model's file: where it comes from, how good it is, and rows to check it by."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation.metrics import Metrics

METADATA_FORMAT = 1
_PACKAGES = ("torch", "onnx", "numpy", "pillow", "fugashi", "unidic-lite")
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the data: its fingerprint (SHA-256 over the examples) and what it holds."""

    fingerprint: str
    examples: int
    positives: int


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """`metadata.json`. `threshold` is the lowest that reached `wanted_precision` on the part `threshold`."""

    model: str
    version: int
    family: str
    tokenizer: str | None
    seed: int
    domain: str | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    vocabulary_size: int | None = None
    data: Mapping[str, Part] = field(default_factory=dict)
    threshold: float | None = None
    wanted_precision: float | None = None
    metrics: Mapping[str, Metrics] = field(default_factory=dict)
    ablation: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    gate: Mapping[str, float] = field(default_factory=dict)
    aux_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format: int = METADATA_FORMAT
    made_with: Mapping[str, str] = field(
        default_factory=lambda: {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        }
    )

    def write(self, path: Path) -> None:
        """As indented JSON, figures rounded to six digits, empty fields left out."""
        body = {
            name: value for name, value in dataclasses.asdict(self).items() if value not in (None, {}, (), [])
        }
        path.write_text(json.dumps(rounded(body), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """Inputs of one row and what the model answers, both without the batch dimension."""

    inputs: Mapping[str, npt.NDArray[Any]]
    expected: Mapping[str, npt.NDArray[np.float32]]


def write_golden(path: Path, rows: list[GoldenRow], *, tolerance: float) -> None:
    """`golden.json`: `{"tolerance", "rows": [{"inputs": {name: values}, "expected": {name: values}}]}`.

    A server that answers within `tolerance` of `expected` has loaded the file that was meant. Integers are exact;
    other inputs must already be rounded to what six digits hold.
    """
    body = {
        "tolerance": tolerance,
        "rows": [
            {
                "inputs": {name: _plain(values) for name, values in row.inputs.items()},
                "expected": {name: _plain(values) for name, values in row.expected.items()},
            }
            for row in rows
        ],
    }
    path.write_text(json.dumps(body, separators=(",", ":")) + "\n", encoding="utf-8")


def _plain(values: npt.NDArray[Any]) -> Any:  # noqa: ANN401 - nested lists
    return (
        values.tolist()
        if values.dtype.kind in "iu"
        else np.round(values.astype(np.float64), _DIGITS).tolist()
    )


def rounded(value: Any) -> Any:  # noqa: ANN401 - JSON
    """JSON values with floats rounded to the digits that metadata keeps."""
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(entry) for entry in value]
    return value
