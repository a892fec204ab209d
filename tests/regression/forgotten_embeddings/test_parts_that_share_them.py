"""Two parts of batches embedded pictures at once: what one found remembered, the other had pushed out, a KeyError."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from streams.agents import scoring
from streams.agents.scoring import ModelStep
from streams.inference.scorer import ModelFailure
from tests.unit.agents.test_lane import until

PIXELS = np.zeros((1, 1, 3), np.uint8)


class Encoder:
    """Embeds a picture when it is let; its embedding is that of its call."""

    def __init__(self) -> None:
        self.calls = 0
        self.gates: list[asyncio.Event] = []

    async def embed(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.float32]]:
        self.calls += 1
        mine = np.full(1280, self.calls, np.float32)
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return [mine for _ in pictures]


async def test_what_one_part_found_is_there_for_it_although_another_pushed_it_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "REMEMBERED_EMBEDDINGS", 2)
    encoder = Encoder()
    step = ModelStep(encoder, deadline_s=5.0, batch_rows=64)  # type: ignore[arg-type]

    async def embed(*digests: str) -> list[float | None]:
        found = await step._embed([], [(digest, PIXELS) for digest in digests])
        return [None if one is None or isinstance(one, ModelFailure) else float(one[0]) for one in found]

    async def begun(*digests: str) -> asyncio.Task[list[float | None]]:
        calls = encoder.calls
        task = asyncio.create_task(embed(*digests))
        await until(lambda: encoder.calls > calls)
        return task

    first = await begun("x")
    encoder.gates[0].set()
    assert await first == [1.0]
    with_old = await begun("x", "y")
    with_new = await begun("p", "q", "r")
    encoder.gates[2].set()
    assert await with_new == [3.0, 3.0, 3.0]
    encoder.gates[1].set()
    assert await with_old == [1.0, 2.0]
