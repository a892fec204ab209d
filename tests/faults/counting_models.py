"""Models whose scores anyone can work out by hand, so that a checker knows what Triton must have been asked.

The sums are in `arithmetic`. Real ONNX files of the families' contract, on a real Triton.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH, WINDOW
from streams.features.tokens import TOKENIZER
from streams.inference.contracts import TensorSpec, VersionFacts, config_pbtxt, family_of
from tests.faults.arithmetic import (
    IMAGE_WEIGHT,
    LISTING_MODEL,
    MESSAGE_MODEL,
    STATUS_WEIGHT,
    TITLE_WEIGHT,
    WRITER_WEIGHT,
    listing_score,
    message_score,
    scale,
)

MODELS: Final = (MESSAGE_MODEL, LISTING_MODEL)

_ONNX_TYPES = {"INT64": TensorProto.INT64, "FP32": TensorProto.FLOAT, "UINT8": TensorProto.UINT8}
_OPSET, _IR = 17, 8


def put_repository(directory: Path) -> None:
    """A model repository with version 1 of both models and the image encoder that listings need."""
    for model in (*MODELS, "image_encoder"):
        facts = VersionFacts(TOKENIZER if family_of(model).reads_tokens else None)
        (directory / model / "1").mkdir(parents=True)
        (directory / model / "config.pbtxt").write_text(config_pbtxt(model, {1: facts}))
        if model == "image_encoder":
            (directory / model / "1" / "model.onnx").write_bytes(_encoder().SerializeToString())
        else:
            _write_version(directory / model / "1", model, 1)


def write_push(directory: Path, model: str, version: int) -> Path:
    """A version as training leaves it, for `sekisho models add`."""
    directory.mkdir(parents=True)
    _write_version(directory, model, version)
    return directory


def write_bad_push(directory: Path, model: str, version: int, *, choice: int) -> Path:
    """A version that must be refused: no ONNX at all, one that answers otherwise than exported, one cut off."""
    write_push(directory, model, version)
    path = directory / "model.onnx"
    if choice % 3 == 0:
        path.write_bytes(b"this is no model")
    elif choice % 3 == 1:
        path.write_bytes(_model(model, version + 7).SerializeToString())
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return directory


def _write_version(directory: Path, model: str, version: int) -> None:
    (directory / "model.onnx").write_bytes(_model(model, version).SerializeToString())
    described = {"model": model, "version": version, "tokenizer": TOKENIZER, "threshold": 0.8}
    (directory / "metadata.json").write_text(json.dumps(described))
    (directory / "golden.json").write_text(json.dumps({"tolerance": 1e-4, "rows": [_golden(model, version)]}))


def _golden(model: str, version: int) -> dict[str, object]:
    if model == MESSAGE_MODEL:
        inputs = {"tokens": [[0] * 16] * WINDOW, "writer": [0, 0, 1, 2, 1], "status": [3]}
        score = message_score(version, (1, 2, 1), 3)
    else:
        aux = [0.0] * len(AUX_NAMES)
        aux[AUX_NAMES.index("log_title_length")] = math.log1p(10)
        inputs = {"tokens": [0] * 32, "image": [0.5] * IMAGE_WIDTH, "has_image": [1.0], "aux": aux}
        score = listing_score(version, title_letters=10, has_picture=True)
    return {"inputs": inputs, "expected": {"score": [score]}}


def _model(model: str, version: int) -> onnx.ModelProto:
    return _message_model(version) if model == MESSAGE_MODEL else _listing_model(version)


def _message_model(version: int) -> onnx.ModelProto:
    n = helper.make_node
    nodes = [
        # tokens count for nothing, but an input that no node reads would not be in the signature
        n("Cast", ["tokens"], ["tokens_f"], to=TensorProto.FLOAT),
        n("ReduceSum", ["tokens_f", "axes12"], ["tokens_sum"], keepdims=0),
        n("Mul", ["tokens_sum", "zero"], ["nothing"]),
        n("Cast", ["writer"], ["writer_f"], to=TensorProto.FLOAT),
        n("ReduceSum", ["writer_f", "axes1"], ["writers"], keepdims=0),
        n("Mul", ["writers", "writer_weight"], ["by_writer"]),
        n("Add", ["by_writer", "nothing"], ["flat"]),
        n("Unsqueeze", ["flat", "axes1"], ["column"]),
        n("Cast", ["status"], ["status_f"], to=TensorProto.FLOAT),
        n("Mul", ["status_f", "status_weight"], ["by_status"]),
        n("Add", ["column", "by_status"], ["score"]),
    ]
    constants = {
        "axes12": ([1, 2], np.int64),
        "axes1": ([1], np.int64),
        "zero": (0.0, np.float32),
        "writer_weight": (scale(version) * WRITER_WEIGHT, np.float32),
        "status_weight": (scale(version) * STATUS_WEIGHT, np.float32),
    }
    return _graph(MESSAGE_MODEL, nodes, constants)


def _listing_model(version: int) -> onnx.ModelProto:
    n = helper.make_node
    weights = [0.0] * len(AUX_NAMES)
    weights[AUX_NAMES.index("log_title_length")] = scale(version) * TITLE_WEIGHT
    nodes = [
        n("Cast", ["tokens"], ["tokens_f"], to=TensorProto.FLOAT),
        n("ReduceSum", ["tokens_f", "axes1"], ["tokens_sum"], keepdims=1),
        n("ReduceSum", ["image", "axes1"], ["image_sum"], keepdims=1),
        n("Add", ["tokens_sum", "image_sum"], ["sums"]),
        n("Mul", ["sums", "zero"], ["nothing"]),
        n("Mul", ["aux", "weights"], ["weighted"]),
        n("ReduceSum", ["weighted", "axes1"], ["by_title"], keepdims=1),
        n("Mul", ["has_image", "image_weight"], ["by_image"]),
        n("Add", ["by_title", "by_image"], ["both"]),
        n("Add", ["both", "nothing"], ["score"]),
        n("Sub", ["one", "has_image"], ["text_share"]),
        n("Concat", ["text_share", "has_image"], ["gate"], axis=1),
    ]
    constants = {
        "axes1": ([1], np.int64),
        "zero": (0.0, np.float32),
        "one": (1.0, np.float32),
        "weights": (weights, np.float32),
        "image_weight": (scale(version) * IMAGE_WEIGHT, np.float32),
    }
    return _graph(LISTING_MODEL, nodes, constants)


def _encoder() -> onnx.ModelProto:
    """The picture's mean brightness, repeated."""
    n = helper.make_node
    nodes = [
        n("Cast", ["image"], ["image_f"], to=TensorProto.FLOAT),
        n("ReduceMean", ["image_f"], ["mean"], axes=[1, 2, 3], keepdims=0),
        n("Unsqueeze", ["mean", "axes1"], ["column"]),
        n("Mul", ["column", "ones"], ["embedding"]),
    ]
    return _graph(
        "image_encoder", nodes, {"axes1": ([1], np.int64), "ones": ([1.0] * IMAGE_WIDTH, np.float32)}
    )


def _graph(
    model: str, nodes: Sequence[onnx.NodeProto], constants: Mapping[str, tuple[object, type[Any]]]
) -> onnx.ModelProto:
    family = family_of(model)

    def value(spec: TensorSpec) -> onnx.ValueInfoProto:
        shape = ["batch", *("length" if dim == -1 else dim for dim in spec.dims)]
        return helper.make_tensor_value_info(spec.name, _ONNX_TYPES[spec.data_type], shape)

    graph = helper.make_graph(
        list(nodes),
        model,
        [value(spec) for spec in family.inputs],
        [value(spec) for spec in family.outputs],
        [numpy_helper.from_array(np.array(v, dtype), name) for name, (v, dtype) in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(made)
    return made
