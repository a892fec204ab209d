"""Scores a version's golden rows on the server: proof that it serves the file that was meant, before any traffic."""

from __future__ import annotations

import numpy as np

from streams.inference.contracts import ModelVersion, family_of
from streams.inference.repository import Golden
from streams.inference.triton import TritonClient


async def golden_problems(client: TritonClient, version: ModelVersion, golden: Golden) -> list[str]:
    """A sentence for every golden row that the served version answers otherwise. Raises InferenceFailed."""
    outputs = [tensor.name for tensor in family_of(version.model).outputs]
    problems = []
    for number, row in enumerate(golden.rows):
        inputs = {name: values[np.newaxis] for name, values in row.inputs.items()}
        answer = await client.infer(version.model, version.version, inputs, outputs)
        for name, expected in row.expected.items():
            given = answer[name][0]
            # NaN differs from everything, as it should.
            if given.shape != expected.shape or not (np.abs(given - expected) <= golden.tolerance).all():
                problems.append(
                    f"{version}: golden row {number}: {name} is {given.tolist()}, "
                    f"expected {expected.tolist()} within {golden.tolerance:g}"
                )
    return problems
