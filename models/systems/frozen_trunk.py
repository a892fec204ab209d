"""A trunk as heads see it: the graph that is served, run by ONNX Runtime, so that training and serving agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # comes with onnx

from models.export.graph import run, session
from models.export.trunk import VECTOR, digest, trunk_of, width_of
from streams.features.tensors import WindowFeatures, message_batch
from streams.features.tokens import TOKENIZER
from streams.inference.repository import MODEL_FILE, RepositoryError, read_metadata

#: Rows a call: on a CPU larger batches gain nothing.
_BATCH = 64


class FrozenTrunk:
    """A trunk's graph (`models.export.trunk.trunk_of`), ready to read windows."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.width = width_of(model)
        self.digest = digest(model)
        self._session: Any = session(model)

    @classmethod
    def of(cls, directory: Path) -> FrozenTrunk:
        """The trunk within a model, given its directory (model.onnx, metadata.json).

        Raises ValueError, in words for the person who wrote the path, for anything that cannot be used.
        """
        path = directory / MODEL_FILE
        try:
            metadata = read_metadata(directory)
            model = onnx.load_from_string(path.read_bytes())
        except RepositoryError as error:
            raise ValueError(f"trunk: {error}") from error
        except OSError as error:
            raise ValueError(f"trunk: {path}: {error.strerror}") from error
        except DecodeError as error:
            raise ValueError(f"trunk: {path}: not an ONNX file: {error}") from error
        if metadata.tokenizer != TOKENIZER:
            raise ValueError(
                f"trunk: {path}: trained with tokeniser {metadata.tokenizer}, this release has {TOKENIZER}; "
                "train the trunk again"
            )
        try:
            return cls(trunk_of(model))
        except ValueError as error:
            raise ValueError(f"trunk: {path}: {error}") from error

    def vectors(self, windows: Sequence[WindowFeatures]) -> npt.NDArray[np.float32]:
        """What the trunk reads in each window, float32 [N, width], in their order."""
        found = np.empty((len(windows), self.width), np.float32)
        order = sorted(range(len(windows)), key=lambda index: windows[index].bucket)
        for at in range(0, len(order), _BATCH):
            members = order[at : at + _BATCH]
            batch = [windows[index] for index in members]
            # The last is the longest; a vector does not depend on the padding.
            found[members] = run(self._session, message_batch(batch, batch[-1].bucket))[VECTOR]
        return found
