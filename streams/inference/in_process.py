"""A model version run in this process by ONNX Runtime, for work that must not queue before live traffic on Triton."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streams.features.tensors import ListingFeatures, WindowFeatures, listing_batch, message_batch
from streams.features.tokens import TOKENIZER
from streams.inference.contracts import LISTING, MESSAGE, family_of
from streams.inference.repository import MODEL_FILE, Metadata, RepositoryError, read_metadata
from streams.inference.scorer import by_bucket


class InProcessModel:
    """An exported version, opened on the CPU with one thread. Not for two threads at once.

    The scores are those of the embedded server, which runs the same file by the same library; a GPU's differ in the
    last digits.
    """

    def __init__(self, directory: Path) -> None:
        """Open a directory with model.onnx and metadata.json.

        Raises RepositoryError when it cannot be used here, ModuleNotFoundError without onnxruntime.
        """
        import onnxruntime

        self.metadata: Metadata = read_metadata(directory)
        if self.metadata.tokenizer != TOKENIZER:
            raise RepositoryError(
                f"{directory}: trained with tokeniser {self.metadata.tokenizer}, this engine has {TOKENIZER}; its "
                "scores would be meaningless"
            )
        self.family = family_of(self.metadata.model)
        if self.family not in (MESSAGE, LISTING):
            raise RepositoryError(
                f"{directory}: {self.metadata.model} gives no scores of messages or listings"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = directory / MODEL_FILE
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises many types of its own; all mean the same here
            raise RepositoryError(f"{path}: not a model that ONNX Runtime can open: {error}") from error
        # A model may leave out an input that it does not read (pictures, for one of text alone).
        self._inputs = {one.name for one in self._session.get_inputs()}

    def scores(self, rows: Sequence[WindowFeatures | ListingFeatures]) -> list[float | None]:
        """One score for each row of the model's own kind, None where the model gives no finite number; batched as workers batch."""
        found: list[float | None] = [None] * len(rows)
        for bucket, members in by_bucket([row.bucket for row in rows], self.family.max_batch_size):
            chosen = [rows[index] for index in members]
            given = (
                message_batch(chosen, bucket)  # type: ignore[arg-type]  # one family, one kind of row
                if self.family is MESSAGE
                else listing_batch(chosen, bucket)  # type: ignore[arg-type]
            )
            taken = {name: values for name, values in given.items() if name in self._inputs}
            (scores,) = self._session.run(["score"], taken)
            for index, score in zip(members, scores[:, 0], strict=True):
                found[index] = float(score) if np.isfinite(score) else None
        return found
