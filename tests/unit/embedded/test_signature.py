"""Against real ONNX Runtime sessions: what the backend refuses at load."""

from __future__ import annotations

import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from streams.embedded.onnxruntime_backend.signature import OnnxTensor, signature_problems

CONFIG = {
    "max_batch_size": 8,
    "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["4"]}],
    "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": ["4"]}],
}


def tensors(*, inputs=(("x", TensorProto.FLOAT, ["batch", 4]),), extra_output: bool = False):
    first, *others = inputs
    nodes = [helper.make_node("Identity", [first[0]], ["y"])]
    outputs = [helper.make_tensor_value_info("y", first[1], first[2])]
    for name, element, shape in others:
        nodes.append(helper.make_node("Identity", [name], [f"{name}_out"]))
        outputs.append(helper.make_tensor_value_info(f"{name}_out", element, shape))
    if extra_output:
        nodes.append(helper.make_node("Identity", [first[0]], ["z"]))
        outputs.append(helper.make_tensor_value_info("z", first[1], first[2]))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(*i) for i in inputs], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [OnnxTensor.of(i) for i in session.get_inputs()], [OnnxTensor.of(o) for o in session.get_outputs()]


def problems(config=CONFIG, **options) -> list[str]:
    return signature_problems(config, *tensors(**options))


def test_what_agrees_is_served():
    assert problems() == []
    assert problems(extra_output=True) == []


def test_a_dynamic_dimension_fits_a_fixed_one():
    assert problems(inputs=(("x", TensorProto.FLOAT, ["batch", "length"]),)) == []


def test_without_batching_dims_are_the_whole_shape():
    config = {**CONFIG, "max_batch_size": 0}
    assert problems(config, inputs=(("x", TensorProto.FLOAT, [4]),)) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"inputs": (("x", TensorProto.INT64, ["batch", 4]),)},
            "input 'x': the model has tensor(int64), config.pbtxt TYPE_FP32",
        ),
        (
            {"inputs": (("x", TensorProto.FLOAT, ["batch", 5]),)},
            "input 'x': the model has shape [-1, 5], config.pbtxt [-1, 4]",
        ),
        (
            {"inputs": (("x", TensorProto.FLOAT, ["batch", 4, 1]),)},
            "input 'x': the model has shape [-1, 4, 1], config.pbtxt [-1, 4]",
        ),
        # A graph for exactly one row cannot take a batch.
        (
            {"inputs": (("x", TensorProto.FLOAT, [1, 4]),)},
            "input 'x': the model has shape [1, 4], config.pbtxt [-1, 4]",
        ),
        (
            {"inputs": (("words", TensorProto.FLOAT, ["batch", 4]),)},
            "input 'x' is not in the ONNX model, which has words",
        ),
        (
            {"inputs": (("x", TensorProto.FLOAT, ["batch", 4]), ("extra", TensorProto.FLOAT, ["batch", 1]))},
            "inputs of the ONNX model that config.pbtxt does not name: extra",
        ),
    ],
)
def test_each_disagreement_is_named(options, expected):
    assert expected in problems(**options)


def test_a_missing_output_is_named():
    config = {**CONFIG, "output": [{"name": "score", "data_type": "TYPE_FP32", "dims": ["1"]}]}
    assert problems(config) == ["output 'score' is not in the ONNX model, which has y"]
