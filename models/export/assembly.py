"""Assemblies of the versions that a repository holds: grouped by trunk, put together, and proven to change no score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from models.data.vocabulary import FIRST_WORD, Vocabulary
from models.export.graph import run, session
from models.export.parity import requests
from models.export.trunk import SCORE, assembled, digest, has_trunk, trunk_of
from streams.inference.contracts import MESSAGE, ModelVersion
from streams.inference.repository import MODEL_FILE, RepositoryError
from streams.inference.sharing import Built

#: One head in an assembly costs what its own model does.
_FEWEST: Final = 2
#: Of the random requests that an assembly and the models themselves are compared on.
_SEED: Final = 1


def assemblies_of(repository: Path, versions: Iterable[ModelVersion]) -> list[Built]:
    """An assembly of the versions on each trunk that two or more of them hold; other versions are left out.

    Every score was compared with that of the head's own model, bit for bit, at every batch size and length bucket that
    `models.export.parity` asks. Raises RepositoryError for a version that cannot be read, ArithmeticError for an
    assembly that scores otherwise.
    """
    trunks: defaultdict[str, dict[ModelVersion, onnx.ModelProto]] = defaultdict(dict)
    for version in sorted(set(versions)):
        model = _load(repository, version)
        if has_trunk(model):
            trunks[digest(trunk_of(model))][version] = model
    return [_built(trunk, models) for trunk, models in sorted(trunks.items()) if len(models) >= _FEWEST]


def _built(trunk: str, models: Mapping[ModelVersion, onnx.ModelProto]) -> Built:
    graph = assembled({str(version): model for version, model in models.items()})
    _compare(graph, models)
    return Built(graph.SerializeToString(deterministic=True), tuple(models), trunk)


def _compare(graph: onnx.ModelProto, models: Mapping[ModelVersion, onnx.ModelProto]) -> None:
    together = session(graph)
    own = {version: session(model) for version, model in models.items()}
    for request in requests(MESSAGE, vocabulary_of(graph), seed=_SEED):
        scores = run(together, request.rows)
        for version, opened in own.items():
            if not np.array_equal(scores[str(version)], run(opened, request.rows)[SCORE]):
                raise ArithmeticError(
                    f"{version}: scores otherwise in the assembly than in its own file (batch {request.batch}, bucket "
                    f"{request.bucket}); nothing was changed. Train the heads with one release, or report this"
                )


def vocabulary_of(graph: onnx.ModelProto) -> Vocabulary:
    """The words of the graph's own encoder, so that the requests are not all of unknown ones."""
    keys = next(
        list(attribute.ints)
        for node in graph.graph.node
        if node.op_type == "LabelEncoder"
        for attribute in node.attribute
        if attribute.name == "keys_int64s"
    )
    return Vocabulary(np.array(keys[FIRST_WORD - 1 :], np.int64))


def _load(repository: Path, version: ModelVersion) -> onnx.ModelProto:
    path = repository / version.model / str(version.version) / MODEL_FILE
    try:
        return onnx.load_from_string(path.read_bytes())
    except OSError as error:
        raise RepositoryError(f"{path}: {error.strerror}; the policy names {version}") from error
