"""Compares an ONNX model with its config.pbtxt at load, as the C++ backend of the official container does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnxruntime as ort

#: ONNX Runtime's name of an element type → Triton's. Strings are absent: under numpy 2 they cannot pass by DLPack.
TRITON_TYPES = {
    "tensor(float)": "TYPE_FP32",
    "tensor(float16)": "TYPE_FP16",
    "tensor(double)": "TYPE_FP64",
    "tensor(int64)": "TYPE_INT64",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int8)": "TYPE_INT8",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(bool)": "TYPE_BOOL",
}


@dataclass(frozen=True, slots=True)
class OnnxTensor:
    """An input or output of the graph; a dimension is None where it is dynamic. The batch comes first."""

    name: str
    type: str
    shape: tuple[int | None, ...]

    @classmethod
    def of(cls, node: ort.NodeArg) -> OnnxTensor:
        """As ONNX Runtime describes it."""
        return cls(node.name, node.type, tuple(d if isinstance(d, int) else None for d in node.shape))


def signature_problems(
    config: Mapping[str, Any], inputs: Sequence[OnnxTensor], outputs: Sequence[OnnxTensor]
) -> list[str]:
    """How the graph departs from the configuration (Triton's model_config as JSON); nothing if they agree.

    The graph may have outputs that the configuration leaves out, but no such inputs: nobody would fill them.
    """
    batched = int(config.get("max_batch_size", 0)) > 0
    problems = [
        *_problems("input", config["input"], inputs, batched=batched),
        *_problems("output", config["output"], outputs, batched=batched),
    ]
    unfilled = sorted({t.name for t in inputs} - {t["name"] for t in config["input"]})
    if unfilled:
        problems.append(f"inputs of the ONNX model that config.pbtxt does not name: {', '.join(unfilled)}")
    return problems


def _problems(
    kind: str, configured: Sequence[Mapping[str, Any]], found: Sequence[OnnxTensor], *, batched: bool
) -> list[str]:
    by_name = {tensor.name: tensor for tensor in found}
    problems = []
    for entry in configured:
        name, wanted_type = entry["name"], entry["data_type"]
        tensor = by_name.get(name)
        if tensor is None:
            problems.append(
                f"{kind} {name!r} is not in the ONNX model, which has {', '.join(sorted(by_name))}"
            )
            continue
        if TRITON_TYPES.get(tensor.type) != wanted_type:
            problems.append(f"{kind} {name!r}: the model has {tensor.type}, config.pbtxt {wanted_type}")
        dims = tuple(None if int(d) == -1 else int(d) for d in entry["dims"])
        wanted_shape = (None, *dims) if batched else dims
        if not _fits(tensor.shape, wanted_shape, batched=batched):
            problems.append(
                f"{kind} {name!r}: the model has shape {_shown(tensor.shape)}, config.pbtxt {_shown(wanted_shape)}"
            )
    return problems


def _fits(found: tuple[int | None, ...], wanted: tuple[int | None, ...], *, batched: bool) -> bool:
    if len(found) != len(wanted) or (batched and found[0] is not None):
        return False
    return all(a is None or b is None or a == b for a, b in zip(found, wanted, strict=True))


def _shown(shape: tuple[int | None, ...]) -> str:
    return str([-1 if d is None else d for d in shape])
