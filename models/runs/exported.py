"""Writes what `sekisho models add` takes: a model file, its metadata, and golden rows that it has answered itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

from models.export.graph import run, session
from models.export.metadata import GoldenRow, ModelMetadata, write_golden
from streams.inference.repository import GOLDEN_FILE, METADATA_FILE, MODEL_FILE

#: Between CPUs the order of sums differs (1e-6 in a score); a GPU may multiply in TF32, whose 10-bit mantissa is off by
#: up to 5e-4 of a value. The encoder's features reach 6 and pass 50 layers. A wrong file is off by far more.
GOLDEN_TOLERANCE: Final[dict[str, float]] = {"message": 2e-3, "listing": 2e-3, "image_encoder": 3e-2}


def write_model(
    directory: Path,
    model: onnx.ModelProto,
    metadata: ModelMetadata,
    golden: Sequence[Mapping[str, npt.NDArray[Any]]],
) -> None:
    """`directory/{model.onnx, metadata.json, golden.json}`.

    `golden` are input rows without batch dimension; what the file itself answers becomes the expectation.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(model.SerializeToString(deterministic=True))
    metadata.write(directory / METADATA_FILE)
    opened = session(model)
    rows = [
        GoldenRow(row, {name: values[0] for name, values in run(opened, _batch_of_one(row)).items()})
        for row in golden
    ]
    write_golden(directory / GOLDEN_FILE, rows, tolerance=GOLDEN_TOLERANCE[metadata.family])


def _batch_of_one(row: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {name: values[np.newaxis] for name, values in row.items()}
