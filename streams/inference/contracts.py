"""What goes into and comes out of each model family, and the Triton configuration that says so."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH, LISTING_BUCKETS, MESSAGE_BUCKETS, WINDOW

#: Triton's names of tensor types, without the `TYPE_` of config.pbtxt.
DataType = Literal["INT64", "FP32", "UINT8"]
FamilyName = Literal["message", "listing", "image_encoder", "trunk"]

#: A dimension that each request chooses: the length bucket.
ANY = -1
#: Version of the image encoder whose features the listing models were trained on. Another encoder gives other
#: features, so the two change together and the policy does not choose it.
IMAGE_ENCODER_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class ModelVersion:
    """One version of one model; Triton is always asked for a version (without one it takes the highest)."""

    model: str
    version: int

    def __str__(self) -> str:
        return f"{self.model}/{self.version}"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A named input or output; `dims` are those of one row, without the batch, `ANY` where a request chooses."""

    name: str
    data_type: DataType
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """All models of one kind: the same tensors, the same largest batch."""

    name: FamilyName
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch_size: int
    #: Values of the `ANY` dimension that are in use; each is run once when a version is loaded.
    buckets: tuple[int, ...] = ()
    #: Whether versions must name the tokeniser that their vocabulary was made with.
    reads_tokens: bool = True


MESSAGE = Family(
    "message",
    inputs=(
        TensorSpec("tokens", "INT64", (WINDOW, ANY)),
        TensorSpec("writer", "INT64", (WINDOW,)),
        TensorSpec("status", "INT64", (1,)),
    ),
    outputs=(TensorSpec("score", "FP32", (1,)),),
    max_batch_size=64,
    buckets=MESSAGE_BUCKETS,
)
LISTING = Family(
    "listing",
    inputs=(
        TensorSpec("tokens", "INT64", (ANY,)),
        TensorSpec("image", "FP32", (IMAGE_WIDTH,)),
        TensorSpec("has_image", "FP32", (1,)),
        TensorSpec("aux", "FP32", (len(AUX_NAMES),)),
    ),
    outputs=(TensorSpec("score", "FP32", (1,)), TensorSpec("gate", "FP32", (2,))),
    max_batch_size=64,
    buckets=LISTING_BUCKETS,
)
IMAGE_ENCODER = Family(
    "image_encoder",
    inputs=(TensorSpec("image", "UINT8", (224, 224, 3)),),
    outputs=(TensorSpec("embedding", "FP32", (IMAGE_WIDTH,)),),
    # 5 ms an image on one core: 16 take 80 ms of a deadline of 2 s, and 2.4 MB on the wire.
    max_batch_size=16,
    reads_tokens=False,
)
#: Message models that hold the same trunk, assembled into one so that one request scores them all. `head_outputs` says
#: what comes out.
TRUNK = replace(MESSAGE, name="trunk", outputs=())

#: Parameter of an assembly's config.pbtxt: "yes" once its heads' golden rows came out right.
OFFERED = "sekisho.offered"

_MODEL_NAME = re.compile(r"(?:message|listing)_[a-z0-9_]+|image_encoder|trunk_[0-9a-f]{12}")
_HEAD_NAME = re.compile(r"(message_[a-z0-9_]+)/([1-9][0-9]*)")


def head_outputs(heads: Sequence[ModelVersion]) -> tuple[TensorSpec, ...]:
    """Outputs of an assembly: each head's `score`, under the name of the version that it is (`message_x/3`)."""
    (score,) = MESSAGE.outputs
    return tuple(replace(score, name=str(head)) for head in heads)


def head_named(output: str) -> ModelVersion | None:
    """The version whose score an assembly's output is; None for a name that is none."""
    found = _HEAD_NAME.fullmatch(output)
    return ModelVersion(found[1], int(found[2])) if found else None


def family_of(model: str) -> Family:
    """The family of a model by its name: `message_<domain>`, `listing_<domain>`, `image_encoder`, or an assembly's.

    Raises ValueError for any other name.
    """
    if not _MODEL_NAME.fullmatch(model):
        raise ValueError(
            f"{model!r} is not a model name: use message_<domain>, listing_<domain> "
            "(lower case letters, digits, '_') or image_encoder"
        )
    if model == IMAGE_ENCODER.name:
        return IMAGE_ENCODER
    if model.startswith("trunk_"):
        return TRUNK
    return MESSAGE if model.startswith("message_") else LISTING


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What config.pbtxt says about one version beside its tensors, read back by `sekisho doctor` and at start."""

    tokenizer: str | None = None
    threshold: float | None = None


def config_pbtxt(
    model: str,
    versions: Mapping[int, VersionFacts],
    *,
    heads: Sequence[ModelVersion] = (),
    offered: bool = False,
    keep_latest: int | None = None,
    instances: int = 1,
    queue_delay_us: int = 0,
) -> str:
    """The complete config.pbtxt of a model, the same for the embedded CPU server and the official GPU container.

    `versions` are served side by side (`version_policy: specific`), or the `keep_latest` highest of those present.
    `queue_delay_us`: on a CPU batches form by themselves while the instance is busy and any delay is paid in full at
    low load; on a GPU 200-1000 is the place to start.
    `heads` are those of an assembly, and of nothing else; workers ask it only when it is `offered`.
    Deliberately absent: queue policies, priorities and server-side timeouts. Each of them turns prefetching off in
    Triton's batcher, which then sleeps up to 500 ms over waiting requests.

    Raises ValueError for a name that is no model's, no versions, a family that reads tokens without a tokeniser, or
    an assembly without heads.
    """
    family = family_of(model)
    if (family is TRUNK) != bool(heads):
        raise ValueError(f"{model}: an assembly has heads, and no other model has")
    _check_versions(model, family, versions, keep_latest)
    if keep_latest is None:
        policy = f"specific {{ versions: [ {', '.join(str(v) for v in sorted(versions))} ] }}"
    else:
        policy = f"latest {{ num_versions: {keep_latest} }}"
    lines = [
        f'name: "{model}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {family.max_batch_size}",
        *_tensor_lines("input", family.inputs),
        *_tensor_lines("output", family.outputs or head_outputs(heads)),
        f"version_policy {{ {policy} }}",
        f"dynamic_batching {{ max_queue_delay_microseconds: {queue_delay_us} }}",
        # KIND_AUTO: on the GPU where there is one, else on the CPU.
        f"instance_group [ {{ kind: KIND_AUTO count: {instances} }} ]",
        *_warmup_lines(family),
        # More threads than one per instance spin and halve the throughput as soon as another process wants a core.
        _parameter("intra_op_thread_count", "1"),
    ]
    if heads:
        lines.append(_parameter(OFFERED, "yes" if offered else "no"))
    for version, facts in sorted(versions.items()):
        if facts.tokenizer is not None:
            lines.append(_parameter(tokenizer_key(version), facts.tokenizer))
        if facts.threshold is not None:
            lines.append(_parameter(f"sekisho.v{version}.threshold", repr(facts.threshold)))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class ServedConfig:
    """A model's configuration as the server reports it."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch_size: int
    parameters: Mapping[str, str] = field(default_factory=dict)


def contract_problems(wanted: ModelVersion, served: ServedConfig, tokenizer: str) -> list[str]:
    """Sentences that say how a served model departs from its family, or from the engine's tokeniser; none if fit."""
    try:
        family = family_of(wanted.model)
    except ValueError as error:
        return [str(error)]
    if family is TRUNK:
        return [
            f"{wanted}: an assembly of several models; name the one that decides, it is scored all the same"
        ]
    problems = [
        *_tensor_problems(wanted, "input", family.inputs, served.inputs),
        *_tensor_problems(wanted, "output", family.outputs, served.outputs),
    ]
    if served.max_batch_size < family.max_batch_size:
        problems.append(
            f"{wanted}: takes {served.max_batch_size} rows a request, requests hold up to "
            f"{family.max_batch_size}; write its config.pbtxt anew"
        )
    if family.reads_tokens:
        named = served.parameters.get(tokenizer_key(wanted.version))
        if named is None:
            problems.append(
                f"{wanted}: its config.pbtxt has no parameter {tokenizer_key(wanted.version)}, so it is not known "
                f"which tokeniser it was trained with; add the version with `sekisho models add`"
            )
        elif named != tokenizer:
            problems.append(
                f"{wanted}: trained with tokeniser {named}, this engine has {tokenizer}; its scores would be "
                "meaningless. Train it again, or run the engine's matching release"
            )
    return problems


def _tensor_problems(
    wanted: ModelVersion, kind: str, specs: Sequence[TensorSpec], served: Sequence[TensorSpec]
) -> list[str]:
    problems = []
    by_name = {tensor.name: tensor for tensor in served}
    for spec in specs:
        found = by_name.pop(spec.name, None)
        if found is None:
            problems.append(f"{wanted}: has no {kind} {spec.name!r}")
        elif (found.data_type, found.dims) != (spec.data_type, spec.dims):
            problems.append(
                f"{wanted}: {kind} {spec.name!r} is {found.data_type} {list(found.dims)}, "
                f"the contract says {spec.data_type} {list(spec.dims)}"
            )
    if kind == "input":
        problems += [f"{wanted}: wants an input {name!r} that the contract does not have" for name in by_name]
    return problems


def _check_versions(
    model: str, family: Family, versions: Mapping[int, VersionFacts], keep_latest: int | None
) -> None:
    if not versions:
        raise ValueError(f"{model}: a configuration needs at least one version")
    if keep_latest is not None and keep_latest < 1:
        raise ValueError(f"{model}: keep_latest must be at least 1, not {keep_latest}")
    for version, facts in versions.items():
        if version < 1:
            raise ValueError(f"{model}: versions are counted from 1, not {version}")
        if family.reads_tokens and not facts.tokenizer:
            raise ValueError(f"{model}/{version}: the metadata must name the tokeniser it was trained with")
        if facts.threshold is not None and not math.isfinite(facts.threshold):
            raise ValueError(f"{model}/{version}: the threshold must be finite, not {facts.threshold}")


def tokenizer_key(version: int) -> str:
    """The parameter of config.pbtxt that names the tokeniser of a version."""
    return f"sekisho.v{version}.tokenizer"


def _tensor_lines(kind: str, tensors: Sequence[TensorSpec]) -> list[str]:
    rows = [f'  {{ name: "{t.name}" data_type: TYPE_{t.data_type} dims: {_list(t.dims)} }}' for t in tensors]
    return [f"{kind} [", ",\n".join(rows), "]"]


def _warmup_lines(family: Family) -> list[str]:
    """One run of zeros per bucket before a version is called ready; a version that fails it is never served."""
    samples = []
    for bucket in family.buckets or (ANY,):
        inputs = "".join(
            f'    inputs {{ key: "{t.name}" value: {{ data_type: TYPE_{t.data_type} '
            f"dims: {_list(tuple(bucket if d == ANY else d for d in t.dims))} zero_data: true }} }}\n"
            for t in family.inputs
        )
        name = "zeros" if bucket == ANY else f"zeros {bucket}"
        samples.append(f'  {{\n    name: "{name}"\n    batch_size: 1\n{inputs}  }}')
    return ["model_warmup [", ",\n".join(samples), "]"]


def _parameter(key: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'parameters {{ key: "{key}" value: {{ string_value: "{escaped}" }} }}'


def _list(dims: tuple[int, ...]) -> str:
    return f"[ {', '.join(map(str, dims))} ]"
