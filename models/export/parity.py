"""Whether torch, ONNX Runtime and Triton give the same answers: requests of every batch and length, and what differs.

Tokens of a request are hashes, so what is compared includes the vocabulary inside the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.data.vocabulary import Vocabulary
from models.export.graph import run
from streams.features.tensors import WINDOW, WRITER_CODES
from streams.inference.contracts import ANY, Family, ModelVersion, family_of
from streams.inference.triton import TritonClient

Rows = Mapping[str, npt.NDArray[Any]]
#: Outputs of one request by name.
Answer = Mapping[str, npt.NDArray[Any]]

#: One row, the smallest real batch, one that no kernel's block divides, and the largest that is sent.
BATCHES: Final = (1, 2, 7, 64)
#: What single precision leaves of a sigmoid of some ten layers when sums are taken in another order.
TOLERANCE: Final = 1e-5

_STATUSES: Final = 7  # 0 is unknown, six are known
#: Shares of words that no vocabulary holds and of listings without a picture.
_UNKNOWN_SHARE, _PICTURELESS_SHARE = 0.1, 0.3


@dataclass(frozen=True, slots=True)
class Request:
    """Inputs of `batch` rows in one length bucket."""

    batch: int
    bucket: int
    rows: Rows


@dataclass(frozen=True, slots=True)
class Departure:
    """A request that two runtimes answer differently."""

    batch: int
    bucket: int
    output: str
    largest: float

    def __str__(self) -> str:
        return f"batch {self.batch}, bucket {self.bucket}: {self.output} differs by {self.largest:.2e}"


def requests(
    family: Family, vocabulary: Vocabulary, *, seed: int, batches: Sequence[int] = BATCHES
) -> Iterator[Request]:
    """Drawn requests of a `message` or `listing` family: every batch size in every length bucket.

    Windows have one to five turns, texts any length up to the bucket, the longest among them; some words are in no
    vocabulary, some listings have no picture or no words.
    """
    if family.name not in ("message", "listing"):
        raise ValueError(f"requests are drawn for messages and listings, not for {family.name}")
    rng = np.random.default_rng(seed)
    draw = _windows if family.name == "message" else _listings
    for bucket in family.buckets:
        for batch in batches:
            yield Request(batch, bucket, draw(family, vocabulary, rng, batch, bucket))


def departures(
    asked: Iterable[Request],
    expected: Iterable[Answer],
    given: Iterable[Answer],
    *,
    tolerance: float = TOLERANCE,
) -> list[Departure]:
    """Requests of which an output that was given is further than `tolerance` from what was expected.

    NaN on either side is a departure, and so is another shape (`largest` is then infinite).
    """
    found = []
    for request, one, other in zip(asked, expected, given, strict=True):
        for name, values in one.items():
            same_shape = other[name].shape == values.shape
            largest = float(np.abs(other[name] - values).max()) if same_shape else float("inf")
            if not largest <= tolerance:
                found.append(Departure(request.batch, request.bucket, name, largest))
    return found


@torch.no_grad()
def torch_answers(network: nn.Module, vocabulary: Vocabulary, asked: Iterable[Request]) -> list[Answer]:
    """Of the network itself, with tokens looked up outside and logits turned into scores."""
    network.eval()
    answers: list[Answer] = []
    for request in asked:
        tokens = torch.from_numpy(vocabulary.rows(request.rows["tokens"]))
        others = (torch.from_numpy(values) for name, values in request.rows.items() if name != "tokens")
        result = network(tokens, *others)
        if isinstance(result, tuple):
            answers.append({"score": torch.sigmoid(result[0]).numpy(), "gate": result[1].numpy()})
        else:
            answers.append({"score": torch.sigmoid(result).numpy()})
    return answers


def runtime_answers(opened: Any, asked: Iterable[Request]) -> list[Answer]:  # noqa: ANN401 - onnxruntime has no types
    """Of an ONNX Runtime session, as `models.export.graph.session` opens it."""
    return [run(opened, request.rows) for request in asked]


async def triton_answers(
    client: TritonClient, version: ModelVersion, asked: Iterable[Request]
) -> list[Answer]:
    """Of a served version, one request after the other. Raises InferenceFailed."""
    outputs = [tensor.name for tensor in family_of(version.model).outputs]
    return [await client.infer(version.model, version.version, request.rows, outputs) for request in asked]


def _windows(
    family: Family, vocabulary: Vocabulary, rng: np.random.Generator, batch: int, bucket: int
) -> Rows:
    tokens = np.zeros((batch, WINDOW, bucket), np.int64)
    writer = np.zeros((batch, WINDOW), np.int64)
    for row in range(batch):
        for turn in range(WINDOW - int(rng.integers(1, WINDOW + 1)), WINDOW):
            _write(tokens[row, turn], vocabulary, rng)
            writer[row, turn] = rng.choice(list(WRITER_CODES.values()))
    tokens[0, -1] = _words(vocabulary, rng, bucket)
    return {"tokens": tokens, "writer": writer, "status": rng.integers(0, _STATUSES, (batch, 1))}


def _listings(
    family: Family, vocabulary: Vocabulary, rng: np.random.Generator, batch: int, bucket: int
) -> Rows:
    tokens = np.zeros((batch, bucket), np.int64)
    for row in range(batch):
        _write(tokens[row], vocabulary, rng)
    tokens[0] = _words(vocabulary, rng, bucket)
    if batch > 1:
        tokens[1] = 0
    widths = {tensor.name: tensor.dims for tensor in family.inputs if ANY not in tensor.dims}
    has_image = (rng.random((batch, 1)) >= _PICTURELESS_SHARE).astype(np.float32)
    image = rng.gamma(0.5, 0.5, (batch, *widths["image"])).astype(np.float32) * has_image
    aux = rng.normal(0, 1, (batch, *widths["aux"])).astype(np.float32)
    return {"tokens": tokens, "image": image, "has_image": has_image, "aux": aux}


def _write(text: npt.NDArray[np.int64], vocabulary: Vocabulary, rng: np.random.Generator) -> None:
    length = int(rng.integers(1, len(text) + 1))
    text[:length] = _words(vocabulary, rng, length)


def _words(vocabulary: Vocabulary, rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    known = rng.choice(vocabulary.hashes, count)
    strange = rng.integers(1, 2**63 - 1, count)
    return np.where(rng.random(count) < _UNKNOWN_SHARE, strange, known)
