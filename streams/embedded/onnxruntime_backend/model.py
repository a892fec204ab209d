"""Triton's python-based backend `onnxruntime`: runs the model.onnx of a version on the CPU.

Reads the keys of config.pbtxt that the C++ backend reads, so that one repository serves both servers. Runs inside
Triton's stub process, never in the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

from streams.embedded.onnxruntime_backend.signature import OnnxTensor, signature_problems

Arrays = dict[str, npt.NDArray[Any]]

# The stub was built against numpy 1. Under numpy 2 `as_numpy` and `Tensor(name, array)` silently give wrong data
# (stride 0, empty outputs) while DLPack is right both ways; under numpy 1 `from_dlpack` kills the stub.
_BY_DLPACK = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


class TritonPythonModel:
    """One instance of one model version; the names and signatures are Triton's."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Open the version's ONNX file. Raises TritonModelException when it does not match config.pbtxt."""
        config = json.loads(args["model_config"])
        file_name = config.get("default_model_filename") or "model.onnx"
        path = Path(args["model_repository"]) / args["model_version"] / file_name
        options = ort.SessionOptions()
        options.intra_op_num_threads = _count(config, "intra_op_thread_count")
        options.inter_op_num_threads = _count(config, "inter_op_thread_count")
        # Spinning threads halve the throughput as soon as another process wants the core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # errors reach the client as exceptions; do not log each a second time
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        problems = signature_problems(
            config,
            [OnnxTensor.of(node) for node in self._session.get_inputs()],
            [OnnxTensor.of(node) for node in self._session.get_outputs()],
        )
        if problems:
            raise pb_utils.TritonModelException("; ".join(problems))
        self._inputs = [entry["name"] for entry in config["input"]]
        self._outputs = [entry["name"] for entry in config["output"]]
        self._batched = int(config.get("max_batch_size", 0)) > 0

    def execute(self, requests: Sequence[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        """Run the requests that Triton gathered as one batch; where that fails, each alone, so that one fails alone."""
        feeds = [_feed(request, self._inputs) for request in requests]
        if self._batched and len(feeds) > 1:
            try:
                return self._run_together(feeds)
            except Exception:  # noqa: BLE001, S110  # ORT raises many types; the runs below report each failure
                pass
        return [self._run_alone(feed) for feed in feeds]

    def finalize(self) -> None:
        """Let the session go before the stub ends."""
        del self._session

    def _run_together(self, feeds: Sequence[Arrays]) -> list[pb_utils.InferenceResponse]:
        joined = {name: np.concatenate([feed[name] for feed in feeds]) for name in self._inputs}
        results = self._session.run(self._outputs, joined)
        ends = np.cumsum([len(feed[self._inputs[0]]) for feed in feeds])[:-1]
        parts = zip(*(np.split(result, ends) for result in results), strict=True)
        return [self._response(part) for part in parts]

    def _run_alone(self, feed: Arrays) -> pb_utils.InferenceResponse:
        try:
            return self._response(self._session.run(self._outputs, feed))
        except Exception as error:  # noqa: BLE001  # whatever ORT raises is the client's answer; the stub must live on
            # One TritonError object in two responses ends tritonserver 2.51 by SIGSEGV: always a new one.
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"onnxruntime: {error}"))

    def _response(self, arrays: Sequence[npt.NDArray[Any]]) -> pb_utils.InferenceResponse:
        tensors = [_tensor(name, array) for name, array in zip(self._outputs, arrays, strict=True)]
        return pb_utils.InferenceResponse(tensors)


def _count(config: Mapping[str, Any], key: str) -> int:
    given = config.get("parameters", {}).get(key, {}).get("string_value", "")
    return int(given) if given else 1


def _feed(request: pb_utils.InferenceRequest, names: Sequence[str]) -> Arrays:
    tensors = {name: pb_utils.get_input_tensor_by_name(request, name) for name in names}
    return {name: np.from_dlpack(t) if _BY_DLPACK else t.as_numpy() for name, t in tensors.items()}


def _tensor(name: str, array: npt.NDArray[Any]) -> pb_utils.Tensor:
    contiguous = np.ascontiguousarray(array)
    if _BY_DLPACK:
        return pb_utils.Tensor.from_dlpack(name, contiguous)
    return pb_utils.Tensor(name, contiguous)
