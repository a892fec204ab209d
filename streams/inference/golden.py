"""Scores a version's golden rows on the server: proof that it serves the file that was meant, before any traffic."""

from __future__ import annotations

import numpy as np

from streams.inference.contracts import ModelVersion
from streams.inference.repository import Golden
from streams.inference.triton import TritonClient


async def golden_problems(
    client: TritonClient, version: ModelVersion, golden: Golden, *, output: str | None = None
) -> list[str]:
    """A sentence for every golden row that the served version answers otherwise. Raises InferenceFailed.

    `output` is the one that gives the expected score, where an assembly is asked for one of its heads.
    """
    problems = []
    for number, row in enumerate(golden.rows):
        inputs = {name: values[np.newaxis] for name, values in row.inputs.items()}
        outputs = {name: output or name for name in row.expected}
        answer = await client.infer(version.model, version.version, inputs, list(outputs.values()))
        for name, expected in row.expected.items():
            given = answer[outputs[name]][0]
            # NaN differs from everything, as it should.
            if given.shape != expected.shape or not (np.abs(given - expected) <= golden.tolerance).all():
                problems.append(
                    f"{version}: golden row {number}: {outputs[name]} is {given.tolist()}, "
                    f"expected {expected.tolist()} within {golden.tolerance:g}"
                )
    return problems
