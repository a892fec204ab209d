"""One model behind HTTP, as FastAPI's documentation shows it: one window in, one score out.

    python -m benchmarks.end_to_end.rest_service MODEL VERSION --models DIR --port PORT

The window comes tokenised, without padding, so that a service neither tokenises again nor reads padding.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.end_to_end.onnx_models import OnnxModels
from streams.features.tensors import WindowFeatures
from streams.inference.contracts import ModelVersion


class Window(BaseModel):
    """The last one to five turns of a conversation, oldest first: token hashes and writer codes, and the status."""

    tokens: list[list[int]]
    writers: list[int]
    status: int


class Score(BaseModel):
    """What the model says."""

    score: float


def new_service(repository: Path, model: ModelVersion) -> FastAPI:
    """The service of one model version."""
    app = FastAPI()
    models = OnnxModels(repository, [model])

    # A coroutine runs on the event loop itself; a plain function would go through a thread, which costs more.
    @app.post("/score")
    async def score(window: Window) -> Score:
        features = WindowFeatures(
            tuple(np.array(turn, np.int64) for turn in window.tokens), tuple(window.writers), window.status
        )
        (scores,) = models.score([features])
        return Score(score=scores[model])

    return app


def main() -> None:
    """Serve until stopped."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("model")
    options.add_argument("version", type=int)
    options.add_argument("--models", type=Path, required=True)
    options.add_argument("--port", type=int, required=True)
    chosen = options.parse_args()
    service = new_service(chosen.models, ModelVersion(chosen.model, chosen.version))
    uvicorn.run(service, host="127.0.0.1", port=chosen.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
