"""A message model's file taken apart at its trunk and put together: trunk, head, both, or one trunk with many heads.

A model that was trained on a shared trunk holds it whole: the file is complete and serves alone like any other. That
two files hold the same trunk is seen from the files themselves: the graphs up to `VECTOR` are compared byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import onnx
import torch
from onnx import TensorProto, helper

from models.data.vocabulary import Vocabulary
from models.export.graph import IR_VERSION, MESSAGE_EXAMPLE, Scored, exported, with_vocabulary
from models.networks.trunk import MessageHead, MessageTrunk

#: The tensor between trunk and head, float32 [B, width]. Files are told apart by it: no other model has the name.
VECTOR: Final = "trunk_vector"
SCORE: Final = "score"
_INPUTS: Final = ("tokens", "writer", "status")
#: Before the names within a head, so that they are never a trunk's.
_HEAD: Final = "head/"


def trunk_onnx(network: MessageTrunk, vocabulary: Vocabulary) -> onnx.ModelProto:
    """tokens int64 [B, 5, L], writer int64 [B, 5], status int64 [B, 1] → `VECTOR` float32 [B, width]."""
    lengths = {"tokens": {0: "batch", 2: "length"}}
    model = with_vocabulary(exported(network, MESSAGE_EXAMPLE, (VECTOR,), lengths), vocabulary)
    # The exporter leaves the width open.
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = network.width
    return trunk_of(model)


def head_onnx(head: MessageHead) -> onnx.ModelProto:
    """`VECTOR` float32 [B, width] → score float32 [B, 1]."""
    return exported(Scored(head), {VECTOR: torch.zeros(2, head.width)}, (SCORE,), {})


def joined(trunk: onnx.ModelProto, head: onnx.ModelProto) -> onnx.ModelProto:
    """The complete message model: inputs of the trunk, `score` of the head."""
    return _with_heads(trunk, [_renamed(head.graph, _HEAD, SCORE)], [head], [SCORE])


def assembled(models: Mapping[str, onnx.ModelProto]) -> onnx.ModelProto:
    """One trunk with the heads of several complete models, which must hold the same trunk.

    The outputs are named as the mapping's keys, float32 [B, 1] each, in its order. Raises ValueError for no models,
    a model without a trunk, or one with another trunk than the first.
    """
    if not models:
        raise ValueError("an assembly needs at least one head")
    names = list(models)
    trunk = _trunk_named(names[0], models[names[0]])
    wanted = digest(trunk)
    heads = []
    for name, model in models.items():
        if digest(_trunk_named(name, model)) != wanted:
            raise ValueError(f"{name} and {names[0]} hold different trunks, so they cannot be scored in one")
        heads.append(_renamed(head_of(model).graph, f"{name}/", name))
    return _with_heads(trunk, heads, list(models.values()), names)


def trunk_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """The part of a model from its inputs to `VECTOR`; the same bytes from every file that holds this trunk.

    Raises ValueError for a model without one.
    """
    nodes = _up_to_vector(model.graph)
    inputs = [value for value in model.graph.input if value.name in _INPUTS]
    vector = _vector_of(model.graph)
    return _model(nodes, _constants(model.graph, nodes), inputs, [vector], model)


def head_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """The part of a complete model from `VECTOR` to its score. Raises ValueError for a model without a trunk."""
    trunk = {node.name for node in _up_to_vector(model.graph)}
    nodes = [node for node in model.graph.node if node.name not in trunk]
    return _model(
        nodes, _constants(model.graph, nodes), [_vector_of(model.graph)], list(model.graph.output), model
    )


def has_trunk(model: onnx.ModelProto) -> bool:
    """Whether the model was trained on a trunk that others may share."""
    return any(VECTOR in node.output for node in model.graph.node)


def width_of(trunk: onnx.ModelProto) -> int:
    """Numbers in a trunk's vector."""
    return int(_vector_of(trunk.graph).type.tensor_type.shape.dim[1].dim_value)


def digest(trunk: onnx.ModelProto) -> str:
    """SHA-256 of a trunk as `trunk_of` gives it."""
    return "sha256:" + hashlib.sha256(trunk.SerializeToString(deterministic=True)).hexdigest()


def _trunk_named(name: str, model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        return trunk_of(model)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _up_to_vector(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that `VECTOR` depends on, in their order."""
    needed = {VECTOR}
    found = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            found.append(node)
    if not found:
        raise ValueError(
            f"it has no tensor {VECTOR!r}: it was not trained on a shared trunk (system message_trunk or message_head)"
        )
    return found[::-1]


def _constants(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> list[onnx.TensorProto]:
    used = {name for node in nodes for name in node.input}
    return [constant for constant in graph.initializer if constant.name in used]


def _vector_of(graph: onnx.GraphProto) -> onnx.ValueInfoProto:
    """Type and shape of `VECTOR`, written anew so that its bytes depend on the width alone."""
    described = next(
        value for value in (*graph.output, *graph.value_info, *graph.input) if value.name == VECTOR
    )
    width = described.type.tensor_type.shape.dim[1].dim_value
    return helper.make_tensor_value_info(VECTOR, TensorProto.FLOAT, ["batch", width])


def _renamed(graph: onnx.GraphProto, prefix: str, score: str) -> onnx.GraphProto:
    """A head whose inner names begin with `prefix` and whose score is called `score`."""
    kept = {VECTOR: VECTOR, SCORE: score, "": ""}

    def new(name: str) -> str:
        return kept.get(name, prefix + name.removeprefix(_HEAD))

    changed = onnx.GraphProto()
    changed.CopyFrom(graph)
    for node in changed.node:
        node.name = new(node.name)
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
    for constant in changed.initializer:
        constant.name = new(constant.name)
    return changed


def _with_heads(
    trunk: onnx.ModelProto,
    heads: Sequence[onnx.GraphProto],
    sources: Sequence[onnx.ModelProto],
    outputs: Sequence[str],
) -> onnx.ModelProto:
    nodes = [*trunk.graph.node, *(node for head in heads for node in head.node)]
    constants = [*trunk.graph.initializer, *(one for head in heads for one in head.initializer)]
    scores = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1]) for name in outputs]
    model = _model(nodes, constants, list(trunk.graph.input), scores, trunk, *sources)
    model.graph.value_info.append(_vector_of(trunk.graph))
    onnx.checker.check_model(model)
    return model


def _model(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    *sources: Any,  # noqa: ANN401 - onnx has no types
) -> onnx.ModelProto:
    """A model of those parts, in the operator sets of its sources that it needs. Raises ValueError where they differ."""
    used = {node.domain for node in nodes}
    opsets: dict[str, int] = {}
    for source in sources:
        for one in source.opset_import:
            if one.domain in used and opsets.setdefault(one.domain, one.version) != one.version:
                raise ValueError(
                    f'operator set "{one.domain}" is {one.version} in one part and {opsets[one.domain]} in another: '
                    "export both with the same release"
                )
    graph = helper.make_graph(nodes, "message", inputs, outputs, constants)
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(domain, number) for domain, number in sorted(opsets.items())],
        ir_version=IR_VERSION,
    )
