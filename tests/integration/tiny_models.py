"""Tiny ONNX models in the families' contract, requests for them, and repositories of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from streams.embedded.triton import EmbeddedTriton
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH, WINDOW, ListingFeatures, WindowFeatures
from streams.features.tokens import TOKENIZER
from streams.inference.addresses import targets
from streams.inference.contracts import VersionFacts, config_pbtxt, family_of
from streams.inference.triton import TritonClient

#: The picky model has a vocabulary of so many ids and fails inside ONNX Runtime on any other.
PICKY_VOCABULARY = 100
_ONNX_TYPES = {"INT64": TensorProto.INT64, "FP32": TensorProto.FLOAT, "UINT8": TensorProto.UINT8}
_OPSET, _IR = 17, 8


def _constant(name: str, values: object, dtype: type) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, dtype), name)


def _graph(
    model: str, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]
) -> onnx.ModelProto:
    """A model with the inputs and outputs that the contract gives its family; batch and bucket stay dynamic."""
    family = family_of(model)

    def value(spec):
        shape = ["batch", *("length" if d == -1 else d for d in spec.dims)]
        return helper.make_tensor_value_info(spec.name, _ONNX_TYPES[spec.data_type], shape)

    graph = helper.make_graph(
        nodes, model, [value(i) for i in family.inputs], [value(o) for o in family.outputs], constants
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(made)
    return made


def message_sum(model: str, scale: float, *, root: bool = False) -> onnx.ModelProto:
    """score = scale · (Σ tokens) + 0.25 · Σ writer + 0.125 · status; with `root` its square root, NaN below zero."""
    n = helper.make_node
    nodes = [
        n("ReduceSum", ["tokens", "axes12"], ["sum"], keepdims=0),
        n("ReduceSum", ["writer", "axes1"], ["writers"], keepdims=0),
        n("Cast", ["sum"], ["sum_f"], to=TensorProto.FLOAT),
        n("Cast", ["writers"], ["writers_f"], to=TensorProto.FLOAT),
        n("Cast", ["status"], ["status_f"], to=TensorProto.FLOAT),
        n("Mul", ["sum_f", "scale"], ["a"]),
        n("Mul", ["writers_f", "quarter"], ["b"]),
        n("Add", ["a", "b"], ["ab"]),
        n("Unsqueeze", ["ab", "axes1"], ["ab1"]),
        n("Mul", ["status_f", "eighth"], ["c"]),
        n("Add", ["ab1", "c"], ["total"]),
        n("Sqrt" if root else "Identity", ["total"], ["score"]),
    ]
    return _graph(
        model,
        nodes,
        [
            _constant("axes12", [1, 2], np.int64),
            _constant("axes1", [1], np.int64),
            _constant("scale", scale, np.float32),
            _constant("quarter", 0.25, np.float32),
            _constant("eighth", 0.125, np.float32),
        ],
    )


def message_picky(model: str) -> onnx.ModelProto:
    """score = Σ tokens / 100 through an embedding of `PICKY_VOCABULARY` rows: other ids fail in ONNX Runtime."""
    n = helper.make_node
    nodes = [
        n("Gather", ["rows", "tokens"], ["values"], axis=0),
        n("ReduceSum", ["values", "axes12"], ["sum"], keepdims=0),
        n("Unsqueeze", ["sum", "axes1"], ["score"]),
    ]
    return _graph(
        model,
        nodes,
        [
            numpy_helper.from_array(np.arange(PICKY_VOCABULARY, dtype=np.float32) / 100, "rows"),
            _constant("axes12", [1, 2], np.int64),
            _constant("axes1", [1], np.int64),
        ],
    )


def message_slow(model: str) -> onnx.ModelProto:
    """score = 1 after as many products of 400x400 matrices (about a millisecond each) as the largest status says."""
    n = helper.make_node
    body = helper.make_graph(
        [
            n("MatMul", ["x_in", "x_in"], ["product"]),
            n("Tanh", ["product"], ["x_out"]),
            n("Identity", ["go_on"], ["go_on_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_in", TensorProto.FLOAT, [400, 400]),
        ],
        [
            helper.make_tensor_value_info("go_on_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_out", TensorProto.FLOAT, [400, 400]),
        ],
    )
    nodes = [
        n("ReduceMax", ["status"], ["trips"], keepdims=0),
        n("ConstantOfShape", ["square"], ["x0"], value=_constant("v", [0.01], np.float32)),
        n("Loop", ["trips", "true", "x0"], ["x"], body=body),
        n("ReduceMax", ["x"], ["top"], keepdims=0),
        n("Mul", ["top", "zero"], ["nothing"]),
        n("Cast", ["status"], ["status_f"], to=TensorProto.FLOAT),
        n("Mul", ["status_f", "zero"], ["zeros"]),
        n("Add", ["zeros", "nothing"], ["zeros_late"]),
        n("Add", ["zeros_late", "one"], ["score"]),
    ]
    return _graph(
        model,
        nodes,
        [
            _constant("square", [400, 400], np.int64),
            _constant("true", True, np.bool_),
            _constant("zero", 0.0, np.float32),
            _constant("one", 1.0, np.float32),
        ],
    )


def message_crash(model: str) -> onnx.ModelProto:
    """Kills whoever opens it: functions that call each other 100,000 deep overflow ONNX Runtime's stack."""
    depth, domain = 100_000, "deep"
    sets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(domain, 1)]
    made = message_sum(model, 1.0)
    made.graph.node[-1].CopyFrom(helper.make_node("f0", ["total"], ["score"], domain=domain))
    made.opset_import.append(sets[1])
    for number in range(depth):
        called = (f"f{number + 1}", domain) if number + 1 < depth else ("Identity", "")
        body = [helper.make_node(called[0], ["x"], ["y"], domain=called[1])]
        made.functions.append(helper.make_function(domain, f"f{number}", ["x"], ["y"], body, sets))
    return made


def listing_sum(model: str) -> onnx.ModelProto:
    """score = Σ tokens / 1000 + has_image · mean(image) + Σ aux; gate = (1 - has_image, has_image)."""
    n = helper.make_node
    nodes = [
        n("ReduceSum", ["tokens", "axes1"], ["sum"], keepdims=1),
        n("Cast", ["sum"], ["sum_f"], to=TensorProto.FLOAT),
        n("Mul", ["sum_f", "thousandth"], ["a"]),
        n("ReduceMean", ["image"], ["mean"], axes=[1], keepdims=1),
        n("Mul", ["mean", "has_image"], ["b"]),
        n("ReduceSum", ["aux", "axes1"], ["c"], keepdims=1),
        n("Add", ["a", "b"], ["ab"]),
        n("Add", ["ab", "c"], ["score"]),
        n("Sub", ["one", "has_image"], ["text_weight"]),
        n("Concat", ["text_weight", "has_image"], ["gate"], axis=1),
    ]
    return _graph(
        model,
        nodes,
        [
            _constant("axes1", [1], np.int64),
            _constant("thousandth", 0.001, np.float32),
            _constant("one", 1.0, np.float32),
        ],
    )


def encoder_mean() -> onnx.ModelProto:
    """embedding = the image's mean value, repeated."""
    n = helper.make_node
    nodes = [
        n("Cast", ["image"], ["image_f"], to=TensorProto.FLOAT),
        n("ReduceMean", ["image_f"], ["mean"], axes=[1, 2, 3], keepdims=0),
        n("Unsqueeze", ["mean", "axes1"], ["mean1"]),
        n("Mul", ["mean1", "ones"], ["embedding"]),
    ]
    ones = numpy_helper.from_array(np.ones((1, IMAGE_WIDTH), np.float32), "ones")
    return _graph("image_encoder", nodes, [_constant("axes1", [1], np.int64), ones])


def put_model(
    repository: Path,
    model: str,
    versions: Mapping[int, onnx.ModelProto | bytes],
    *,
    tokenizer: str | None = TOKENIZER,
) -> None:
    """Write a model as the repository holds it; bytes stand for a file that is no ONNX model."""
    facts = VersionFacts(tokenizer if family_of(model).reads_tokens else None)
    directory = repository / model
    for version, content in versions.items():
        (directory / str(version)).mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.SerializeToString()
        (directory / str(version) / "model.onnx").write_bytes(data)
    (directory / "config.pbtxt").write_text(config_pbtxt(model, dict.fromkeys(versions, facts)))


@dataclass(frozen=True)
class Repository:
    """A directory of models that a test fills."""

    path: Path

    def put(self, model: str, versions: Mapping[int, onnx.ModelProto | bytes], **options) -> None:
        put_model(self.path, model, versions, **options)


def window(*tokens: int, writer: int = 1, status: int = 0) -> WindowFeatures:
    """One turn of those tokens."""
    return WindowFeatures((np.array(tokens, np.int64),), (writer,), status)


def message_inputs(tokens: Sequence[int], *, length: int = 16, status: int = 0) -> dict[str, np.ndarray]:
    """A request of one row for each token, which stands first in the last turn."""
    array = np.zeros((len(tokens), WINDOW, length), np.int64)
    array[:, -1, 0] = tokens
    return {
        "tokens": array,
        "writer": np.zeros((len(tokens), WINDOW), np.int64),
        "status": np.full((len(tokens), 1), status, np.int64),
    }


def listing(*tokens: int, image: float | None = None) -> ListingFeatures:
    """A listing of those tokens, aux all zero, and an image of that value throughout."""
    pixels = None if image is None else np.full(IMAGE_WIDTH, image, np.float32)
    return ListingFeatures(np.array(tokens, np.int64), np.zeros(len(AUX_NAMES), np.float32), pixels)


def client_of(
    server: EmbeddedTriton, *, timeout_s: float = 10.0, admin_key: str | None = None
) -> TritonClient:
    """A client of that server. The deadline is long because test machines are busy; tests of deadlines say so."""
    return TritonClient(targets(server.grpc_address, tls=False), timeout_s=timeout_s, admin_key=admin_key)


async def eventually(condition: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait for a condition of the outer world; fails the test when it does not come about."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # other processes set no event of ours
            await asyncio.sleep(0.02)
