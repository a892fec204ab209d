"""Rows to scores: requests by model and length bucket, failures told apart row by row, and nothing that hangs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from streams.features.tensors import ListingFeatures, WindowFeatures, listing_batch, message_batch
from streams.features.tokens import TOKENIZER
from streams.inference.assemblies import Assembly, find_assemblies, shared
from streams.inference.calls import ModelCalls
from streams.inference.contracts import (
    IMAGE_ENCODER,
    IMAGE_ENCODER_VERSION,
    LISTING,
    MESSAGE,
    Family,
    ModelVersion,
    contract_problems,
)
from streams.inference.failures import ROW_REASONS, InferenceFailed, Reason, is_retriable
from streams.inference.triton import TritonClient

__all__ = ["ModelFailure", "ModelScore", "ModelVersion", "Scorer"]

log = logging.getLogger(__name__)

Row = TypeVar("Row", WindowFeatures, ListingFeatures)
Answer = TypeVar("Answer")
Arrays = Mapping[str, npt.NDArray[Any]]

#: The version whose features the listing models were trained on.
ENCODER = ModelVersion(IMAGE_ENCODER.name, IMAGE_ENCODER_VERSION)
_EMBEDDING = [tensor.name for tensor in IMAGE_ENCODER.outputs]
#: An assembly that was taken out, or put in anew without one of the heads.
_GONE = frozenset(("not_found", "bad_output"))
#: Between looks for a server that is away; short, because a look at a refused port costs less than a millisecond.
_FIRST_LOOK_S, _LAST_LOOK_S = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class ModelScore:
    """A finite score, and for listings the weights that the model gave to text and image."""

    score: float
    gate: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """Why there is no score; `reason` is one of `failures.Reason`. `retriable`: the same row may be scored later."""

    reason: str
    retriable: bool


Outcome = ModelScore | ModelFailure
#: Of some rows, in their order, by version.
Columns = Mapping[ModelVersion, Sequence[Outcome]]


class Scorer:
    """Scores batches of rows with the models of one Triton client; holds a breaker and a limit per model.

    For one event loop. Cancelling a call cancels its requests, on the server too while they queue there.
    """

    def __init__(self, client: TritonClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._models: dict[str, ModelCalls] = {}
        self._assemblies: tuple[Assembly, ...] = ()

    async def score_messages(
        self, rows: Sequence[WindowFeatures], wanted: Sequence[ModelVersion]
    ) -> list[dict[ModelVersion, Outcome]]:
        """For each row, the outcome of every wanted model. Raises nothing for what servers or rows do."""
        groups = shared(dict.fromkeys(wanted), self._assemblies)
        return await self._score(MESSAGE, rows, groups, message_batch)

    async def score_listings(
        self, rows: Sequence[ListingFeatures], wanted: Sequence[ModelVersion]
    ) -> list[dict[ModelVersion, Outcome]]:
        """For each row, the outcome of every wanted model. Raises nothing for what servers or rows do."""
        groups = [(None, (version,)) for version in dict.fromkeys(wanted)]
        return await self._score(LISTING, rows, groups, listing_batch)

    async def embed(
        self, images: Sequence[npt.NDArray[np.uint8]]
    ) -> list[npt.NDArray[np.float32] | ModelFailure]:
        """Image features, float32 [1280] each, of uint8 [224, 224, 3] RGB images. Raises ValueError for other shapes."""
        dims = IMAGE_ENCODER.inputs[0].dims
        for image in images:
            if image.shape != dims or image.dtype != np.uint8:
                raise ValueError(
                    f"the image encoder takes uint8 {list(dims)}, not {image.dtype} {image.shape}"
                )
        size = IMAGE_ENCODER.max_batch_size
        parts = await _together(
            self._by_row(ENCODER, {"image": np.stack(images[at : at + size])}, _EMBEDDING, _embeddings)
            for at in range(0, len(images), size)
        )
        return [answer for part in parts for answer in part]

    async def check(self, wanted: Iterable[ModelVersion]) -> list[str]:
        """Sentences about wanted versions that are not served, or not as the contract says; none if all is well.

        Looks for assemblies too: from then on messages are scored by those that are served.
        """
        problems: list[str] = []
        for version in sorted(set(wanted)):
            try:
                problems += await self._check_one(version)
            except InferenceFailed as failure:
                if failure.reason in {"unavailable", "deadline"}:
                    return [
                        f"Triton does not answer ({failure}); is it running, and is SEKISHO_TRITON right?"
                    ]
                problems.append(f"{version}: Triton could not say how it is served ({failure})")
        await self._look_for_assemblies()
        return problems

    async def wait_available(self) -> None:
        """Return when Triton answers. Models that were given up meanwhile are tried again with the next rows."""
        pause_s = _FIRST_LOOK_S
        while not await self._client.live():
            await asyncio.sleep(pause_s)
            pause_s = min(_LAST_LOOK_S, pause_s * 2)
        for calls in self._models.values():
            calls.hurry()

    async def _check_one(self, version: ModelVersion) -> list[str]:
        if not await self._client.ready(version.model, version.version):
            return [f"{version}: not served; see `sekisho models list` for what is, and why this is not"]
        return contract_problems(version, await self._client.config(version.model), TOKENIZER)

    async def _look_for_assemblies(self) -> None:
        try:
            found = await find_assemblies(self._client)
        except InferenceFailed as failure:
            # What was known stays: an assembly that is gone says so at the first request.
            log.debug("assemblies: Triton was not asked (%s)", failure)
            return
        if found != self._assemblies:
            for assembly in found:
                log.info("%s scores %s in one request", assembly.model, ", ".join(map(str, assembly.heads)))
            self._assemblies = found

    async def _score(
        self,
        family: Family,
        rows: Sequence[Row],
        groups: Sequence[tuple[Assembly | None, tuple[ModelVersion, ...]]],
        batch: Callable[[Sequence[Row], int], Mapping[str, npt.NDArray[Any]]],
    ) -> list[dict[ModelVersion, Outcome]]:
        requests: list[tuple[Assembly | None, tuple[ModelVersion, ...], list[int], Arrays]] = []
        for bucket, members in by_bucket([row.bucket for row in rows], family.max_batch_size):
            inputs = batch([rows[index] for index in members], bucket)  # shared by all models
            requests += [(assembly, versions, members, inputs) for assembly, versions in groups]
        answers = await _together(
            self._alone(versions[0], inputs, family)
            if assembly is None
            else self._assembled(assembly, versions, inputs)
            for assembly, versions, _, inputs in requests
        )
        outcomes: list[dict[ModelVersion, Outcome]] = [{} for _ in rows]
        for (_, _, members, _), answer in zip(requests, answers, strict=True):
            for version, column in answer.items():
                for index, outcome in zip(members, column, strict=True):
                    outcomes[index][version] = outcome
        return outcomes

    async def _alone(self, version: ModelVersion, inputs: Arrays, family: Family) -> Columns:
        outputs = [tensor.name for tensor in family.outputs]
        return {version: await self._by_row(version, inputs, outputs, _scores)}

    async def _assembled(
        self, assembly: Assembly, versions: tuple[ModelVersion, ...], inputs: Arrays
    ) -> Columns:
        """All of the versions in one request; each alone where the assembly is gone, or fails on a row."""
        names = [str(version) for version in versions]
        answers = await self._by_row(assembly.model, inputs, names, partial(_head_scores, versions))
        if any(isinstance(answer, ModelFailure) and answer.reason in _GONE for answer in answers):
            if assembly in self._assemblies:
                log.info("%s is not served as it was; its heads are asked one by one", assembly.model)
                self._assemblies = tuple(one for one in self._assemblies if one != assembly)
            parts = await _together(self._alone(version, inputs, MESSAGE) for version in versions)
            return {version: column for part in parts for version, column in part.items()}
        columns: dict[ModelVersion, list[Outcome]] = {
            version: [answer if isinstance(answer, ModelFailure) else answer[place] for answer in answers]
            for place, version in enumerate(versions)
        }
        failed = [at for at, answer in enumerate(answers) if _is_its_own_fault(answer)]
        if failed:
            # A fault of the assembly's graph must not cost scores that its heads' own models would give.
            some = {name: array[failed] for name, array in inputs.items()}
            for part in await _together(self._alone(version, some, MESSAGE) for version in versions):
                for version, column in part.items():
                    for at, outcome in zip(failed, column, strict=True):
                        columns[version][at] = outcome
        return columns

    async def _by_row(
        self,
        version: ModelVersion,
        inputs: Arrays,
        outputs: Sequence[str],
        read: Callable[[Arrays, int], list[Answer | ModelFailure]],
    ) -> list[Answer | ModelFailure]:
        """One request; where the model failed on it, one for each row, so that only the row at fault is lost."""
        count = len(next(iter(inputs.values())))
        try:
            arrays = await self._calls(version.model).infer(version, inputs, outputs, rows=count)
            return read(arrays, count)
        except InferenceFailed as failure:
            if failure.reason not in ROW_REASONS:
                return [_failure(failure.reason)] * count
            if count == 1:
                return [_failure("bad_row")]
        singles = await _together(
            self._by_row(version, {name: array[i : i + 1] for name, array in inputs.items()}, outputs, read)
            for i in range(count)
        )
        return [answer for single in singles for answer in single]

    def _calls(self, model: str) -> ModelCalls:
        if model not in self._models:
            self._models[model] = ModelCalls(model, self._client, self._clock)
        return self._models[model]


def by_bucket(buckets: Sequence[int], most_rows: int) -> list[tuple[int, list[int]]]:
    """Row numbers that go together: same bucket, at most `most_rows`, in the order given.

    Rows of different lengths in one request would all be padded to the longest, and requests of different lengths
    are never merged on the server (its batcher flushes on each change of shape).
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index, bucket in enumerate(buckets):
        members[bucket].append(index)
    return [
        (bucket, rows[at : at + most_rows])
        for bucket, rows in sorted(members.items())
        for at in range(0, len(rows), most_rows)
    ]


async def _together(calls: Iterable[Any]) -> list[Any]:
    """All results, in order. A task group, so that one call's bug or a cancellation ends the others too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call) for call in calls]
    return [task.result() for task in tasks]


def _scores(outputs: Arrays, count: int) -> list[ModelScore | ModelFailure]:
    """Reads `score` [count, 1] and, if there, `gate` [count, 2]. NaN in one row is that row's failure only."""
    scores, gates = outputs["score"], outputs.get("gate")
    _require_shape("score", scores, (count, 1))
    finite = np.isfinite(scores).all(axis=1)
    if gates is None:
        return [
            ModelScore(float(score)) if ok else _failure("not_finite")
            for score, ok in zip(scores[:, 0], finite, strict=True)
        ]
    _require_shape("gate", gates, (count, 2))
    finite &= np.isfinite(gates).all(axis=1)
    return [
        ModelScore(float(score), (float(gate[0]), float(gate[1]))) if ok else _failure("not_finite")
        for score, gate, ok in zip(scores[:, 0], gates, finite, strict=True)
    ]


def _head_scores(
    versions: Sequence[ModelVersion], outputs: Arrays, count: int
) -> list[tuple[Outcome, ...] | ModelFailure]:
    """Reads each head's output as the model's own `score`: NaN of one head is that head's failure only."""
    by_head = [_scores({"score": outputs[str(version)]}, count) for version in versions]
    return list(zip(*by_head, strict=True))


def _is_its_own_fault(answer: object) -> bool:
    """The assembly itself gave nothing for the row, and would not later: no server was away, no answer late."""
    return isinstance(answer, ModelFailure) and not answer.retriable


def _embeddings(outputs: Arrays, count: int) -> list[npt.NDArray[np.float32] | ModelFailure]:
    embeddings = outputs["embedding"]
    _require_shape("embedding", embeddings, (count, IMAGE_ENCODER.outputs[0].dims[0]))
    # A copy each: a view would keep the whole batch alive in the caller's cache.
    return [row.copy() if np.isfinite(row).all() else _failure("not_finite") for row in embeddings]


def _require_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InferenceFailed(
            "not_found", f"output {name} has shape {array.shape}, the contract says {shape}"
        )


def _failure(reason: Reason) -> ModelFailure:
    return ModelFailure(reason, is_retriable(reason))
