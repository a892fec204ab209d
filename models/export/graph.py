"""Networks to ONNX files as the contract wants them: vocabulary and sigmoid inside, any batch, any length bucket.

The legacy exporter with opset 17: fast, and it obeys the opset asked for, which the newer one does not below 18.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.data.vocabulary import FIRST_WORD, Vocabulary
from models.networks.sentences import PAD, UNKNOWN

OPSET: Final = 17
_ML_OPSET: Final = 3
#: What ONNX Runtime of every Triton release in question reads (1.24 to 1.31); onnx would write its newest.
IR_VERSION: Final = 8
#: Smaller constants stay as they are: halving them saves nothing, and shapes and scalars must keep their type.
_WORTH_HALVING: Final = 1024


class Scored(nn.Module):
    """A network with its sigmoid; a listing model's gate goes along."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Logits of the network's own inputs become scores."""
        result = self.network(*inputs)
        if isinstance(result, tuple):
            return torch.sigmoid(result[0]), result[1]
        return torch.sigmoid(result)


#: Two windows of sixteen words, before the vocabulary.
MESSAGE_EXAMPLE: Final[Mapping[str, Tensor]] = {
    "tokens": torch.full((2, 5, 16), FIRST_WORD),
    "writer": torch.ones(2, 5, dtype=torch.int64),
    "status": torch.ones(2, 1, dtype=torch.int64),
}


def message_onnx(network: nn.Module, vocabulary: Vocabulary) -> onnx.ModelProto:
    """tokens int64 [B, 5, L], writer int64 [B, 5], status int64 [B, 1] → score float32 [B, 1]."""
    lengths = {"tokens": {0: "batch", 2: "length"}}
    return with_vocabulary(exported(Scored(network), MESSAGE_EXAMPLE, ("score",), lengths), vocabulary)


def listing_onnx(
    network: nn.Module, vocabulary: Vocabulary, *, image_width: int, aux_width: int
) -> onnx.ModelProto:
    """tokens int64 [B, L], image, has_image and aux float32 → score float32 [B, 1], gate float32 [B, 2]."""
    example = {
        "tokens": torch.full((2, 32), FIRST_WORD),
        "image": torch.zeros(2, image_width),
        "has_image": torch.ones(2, 1),
        "aux": torch.zeros(2, aux_width),
    }
    model = exported(Scored(network), example, ("score", "gate"), {"tokens": {0: "batch", 1: "length"}})
    return with_vocabulary(model, vocabulary)


def image_encoder_onnx(network: nn.Module) -> onnx.ModelProto:
    """image uint8 [B, 224, 224, 3] → embedding float32 [B, 1280]."""
    example = {"image": torch.zeros(2, 224, 224, 3, dtype=torch.uint8)}
    return exported(network, example, ("embedding",), {})


def with_vocabulary(model: onnx.ModelProto, vocabulary: Vocabulary) -> onnx.ModelProto:
    """The model reading token hashes where it read vocabulary rows: a LabelEncoder before its `tokens` input."""
    rows = "tokens_rows"
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == "tokens":
                node.input[place] = rows
    keys = np.concatenate([np.array([PAD], np.int64), vocabulary.hashes])
    values = np.concatenate(
        [np.array([PAD], np.int64), np.arange(FIRST_WORD, vocabulary.size, dtype=np.int64)]
    )
    encoder = helper.make_node(
        "LabelEncoder", ["tokens"], [rows], name="vocabulary", domain="ai.onnx.ml",
        keys_int64s=keys.tolist(), values_int64s=values.tolist(), default_int64=UNKNOWN,
    )  # fmt: skip
    model.graph.node.insert(0, encoder)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", _ML_OPSET))
    onnx.checker.check_model(model)
    return model


def round_to_half(network: nn.Module) -> None:
    """Round every floating parameter and buffer, in place, to what a 16-bit float can hold.

    Done before evaluation, so that `stored_half` loses nothing and the metrics are those of the file. Raises
    OverflowError for values beyond 65,504.
    """
    with torch.no_grad():
        for name, tensor in network.state_dict(keep_vars=True).items():
            if tensor.is_floating_point():
                rounded = tensor.half().float()
                if not torch.isfinite(rounded).all():
                    raise OverflowError(f"{name} holds values that a 16-bit float cannot")
                tensor.copy_(rounded)


def stored_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its large float32 constants stored as float16 and cast back at load, so that it computes as before.

    ONNX Runtime folds the casts when it opens the file.
    """
    halved: list[onnx.TensorProto] = []
    casts: list[onnx.NodeProto] = []
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if constant.data_type != TensorProto.FLOAT or values.size < _WORTH_HALVING:
            halved.append(constant)
            continue
        stored = f"{constant.name}_half"
        halved.append(numpy_helper.from_array(values.astype(np.float16), stored))
        casts.append(
            helper.make_node("Cast", [stored], [constant.name], name=f"{stored}_cast", to=TensorProto.FLOAT)
        )
    del model.graph.initializer[:]
    model.graph.initializer.extend(halved)
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    return model


def session(model: onnx.ModelProto, *, threads: int = 1) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """An ONNX Runtime session on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(opened: Any, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:  # noqa: ANN401
    """All outputs by name."""
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(names, dict(inputs)), strict=True))


def exported(
    network: nn.Module,
    example: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, dict[int, str]],
) -> onnx.ModelProto:
    """The network as a graph with those inputs and outputs, the batch free, and what `axes` frees besides."""
    network.eval()
    file = BytesIO()
    with warnings.catch_warnings():
        # Deprecated in favour of an exporter that does not obey opset 17; and Python control flow over constants
        # (five turns, a fusion's name) is reported as traced, which is what is wanted.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message="Constant folding - Only steps=1", category=UserWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        torch.onnx.export(
            network,
            tuple(example.values()),
            file,  # type: ignore[arg-type] # a file object is taken, the annotation knows only paths
            input_names=list(example),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=False,
            dynamic_axes={name: {0: "batch"} for name in (*example, *outputs)} | dict(axes),
        )
    model = onnx.load_from_string(file.getvalue())
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return model
