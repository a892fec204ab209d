"""Static int8 for the CPU, and the decision whether a model is better shipped so.

Weights and activations of convolutions and matrix products become 8-bit integers with scales fixed beforehand (QDQ,
per channel; Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference"). Embedding tables are looked up, not multiplied, and stay as they are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, numpy_helper

from models.export.graph import IR_VERSION, stored_half

Rows = Mapping[str, npt.NDArray[Any]]

#: The most that average precision may fall for int8 to be shipped.
TOLERATED_DROP: Final = 0.005
#: The least speed-up that pays for a second kind of file to keep, with golden rows and a threshold of its own.
LEAST_SPEED_UP: Final = 1.2

_QUANTISED: Final = ("Conv", "Gemm", "MatMul")


class NothingToQuantiseError(ValueError):
    """The model has no convolution and no matrix product whose weights int8 could shrink."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One file: quality, size, and processor time by batch size (µs a row, one thread)."""

    average_precision: float
    file_bytes: int
    us_per_row: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Int8Decision:
    """Which file to ship and why; goes into metadata.json as `quantisation`."""

    ship: Literal["int8", "fp32"]
    reason: str
    fp32: Measured
    int8: Measured

    @property
    def speed_ratio(self) -> dict[int, float]:
        """fp32's time over int8's by batch size: above 1, int8 is faster."""
        return {batch: us / self.int8.us_per_row[batch] for batch, us in self.fp32.us_per_row.items()}

    def as_json(self) -> dict[str, Any]:
        """For metadata.json."""

        def file(measured: Measured) -> dict[str, Any]:
            return {
                "average_precision": measured.average_precision,
                "file_bytes": measured.file_bytes,
                "us_per_row": {str(batch): us for batch, us in measured.us_per_row.items()},
            }

        return {
            "shipped": self.ship,
            "reason": self.reason,
            "tolerated_drop": TOLERATED_DROP,
            "fp32": file(self.fp32),
            "int8": file(self.int8),
            "speed_ratio": {str(batch): ratio for batch, ratio in self.speed_ratio.items()},
        }


def decide(
    fp32: Measured,
    int8: Measured,
    *,
    tolerated_drop: float = TOLERATED_DROP,
    least_speed_up: float = LEAST_SPEED_UP,
) -> Int8Decision:
    """int8 only where average precision drops by at most `tolerated_drop` and it is worth it in speed."""
    drop = fp32.average_precision - int8.average_precision
    # A busy engine sends full batches: the largest that was measured is the one that decides.
    batch = max(fp32.us_per_row)
    speed_up = fp32.us_per_row[batch] / int8.us_per_row[batch]
    change = f"average precision {fp32.average_precision:.4f} → {int8.average_precision:.4f}"
    ship: Literal["int8", "fp32"] = "fp32"
    # Rounded: in binary 0.8 - 0.795 is a little more than 0.005.
    if round(drop - tolerated_drop, 9) > 0 or not np.isfinite(int8.average_precision):
        reason = f"{change}: drops by more than {tolerated_drop:g}"
    elif speed_up < least_speed_up:
        reason = (
            f"{change}, but only {speed_up:.2f} times as fast at batch {batch} (wanted: {least_speed_up:g})"
        )
    else:
        ship, reason = "int8", f"{change}, {speed_up:.2f} times as fast at batch {batch}"
    return Int8Decision(ship, reason, fp32, int8)


def int8_onnx(model: onnx.ModelProto, calibration: Iterable[Rows]) -> onnx.ModelProto:
    """The model with int8 convolutions and matrix products; `calibration` are batches of inputs as served.

    Weights take seven bits: without VNNI, processors add pairs of 8-bit products in 16 bits, which 8-bit weights
    overflow, so that the same file would score differently there. The range of each activation is the largest seen
    in calibration; inputs and outputs stay as the contract has them. What is not quantised and large is stored as
    16-bit floats where `model` does so. Raises NothingToQuantiseError, and ValueError without calibration rows.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if not any(node.op_type in _QUANTISED for node in model.graph.node):
        raise NothingToQuantiseError(
            f"no node of {model.graph.name!r} is one of {', '.join(_QUANTISED)}: serve it as it is"
        )
    reader = _Calibration(calibration)
    if not reader.batches:
        raise ValueError("no calibration rows: the ranges of activations are measured on them")
    was_half = any(constant.data_type == TensorProto.FLOAT16 for constant in model.graph.initializer)
    with tempfile.TemporaryDirectory() as folder:
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        # Folds the casts of half-stored weights too: the quantiser looks for weights among the constants.
        quant_pre_process(stored_single(model), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            made,
            reader,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_QUANTISED),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        quantised = onnx.load(made)
    quantised.ir_version = IR_VERSION
    _keep_used_operator_sets(quantised)
    if was_half:
        quantised = stored_half(quantised)
    onnx.checker.check_model(quantised)
    return quantised


def stored_single(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with constants that are stored as 16-bit floats and cast at load turned back into 32-bit constants."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    halves = {c.name: c for c in copy.graph.initializer if c.data_type == TensorProto.FLOAT16}
    casts = [node for node in copy.graph.node if node.op_type == "Cast" and node.input[0] in halves]
    for cast in casts:
        values = numpy_helper.to_array(halves[cast.input[0]]).astype(np.float32)
        copy.graph.initializer.append(numpy_helper.from_array(values, cast.output[0]))
        copy.graph.node.remove(cast)
    for name in {cast.input[0] for cast in casts}:
        copy.graph.initializer.remove(halves[name])
    return copy


def _keep_used_operator_sets(model: onnx.ModelProto) -> None:
    """ONNX Runtime writes down every operator set that it knows; a server that lacks one refuses the file."""
    used = {node.domain for node in model.graph.node} | {""}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)


class _Calibration:
    """onnxruntime's reader interface over batches of inputs."""

    def __init__(self, batches: Iterable[Rows]) -> None:
        self.batches = [dict(rows) for rows in batches]
        self._left = iter(self.batches)

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        return next(self._left, None)
