"""The shipped models in this process: the same files and ONNX Runtime settings as the embedded Triton uses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from streams.features.tensors import WindowFeatures, message_batch
from streams.inference.contracts import MESSAGE, ModelVersion
from streams.inference.scorer import by_bucket


class OnnxModels:
    """Message models of a repository, one session each, one thread each."""

    def __init__(self, repository: Path, models: Sequence[ModelVersion]) -> None:
        self._sessions = {model: _session(repository, model) for model in models}

    def score(self, rows: Sequence[WindowFeatures]) -> list[dict[ModelVersion, float]]:
        """Every model's score of every row; rows are grouped by length and cut into batches as Sekisho's scorer does."""
        scores: list[dict[ModelVersion, float]] = [{} for _ in rows]
        for bucket, members in by_bucket([row.bucket for row in rows], MESSAGE.max_batch_size):
            inputs = message_batch([rows[index] for index in members], bucket)
            for model, session in self._sessions.items():
                (outputs,) = session.run(["score"], inputs)
                for index, score in zip(members, outputs[:, 0].tolist(), strict=True):
                    scores[index][model] = score
        return scores


def _session(repository: Path, model: ModelVersion) -> Any:  # noqa: ANN401 - onnxruntime has no types
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    path = repository / model.model / str(model.version) / "model.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
