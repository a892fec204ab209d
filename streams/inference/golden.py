"""Scores a version's golden rows on the server: proof that it serves the file that was meant, before any traffic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.inference.contracts import ModelVersion
from streams.inference.repository import Golden, GoldenRow
from streams.inference.triton import TritonClient

#: What every family takes in one request: the image encoder's limit.
MOST_TOGETHER: Final = 16


async def golden_problems(
    client: TritonClient, version: ModelVersion, golden: Golden, *, output: str | None = None
) -> list[str]:
    """A sentence for every golden row that the served version answers otherwise. Raises InferenceFailed.

    Each is asked alone, then all of one shape together: a graph may be right on one row and mix up several. `output` is
    the one that gives the expected score, where an assembly is asked for one of its heads.
    """
    problems: dict[str, None] = {}
    for numbers in (*([number] for number in range(len(golden.rows))), *_together(golden.rows)):
        rows = [golden.rows[number] for number in numbers]
        inputs = {name: np.stack([row.inputs[name] for row in rows]) for name in rows[0].inputs}
        outputs = {name: output or name for name in rows[0].expected}
        answer = await client.infer(version.model, version.version, inputs, list(outputs.values()))
        beside = f" beside {len(rows) - 1} others" if len(rows) > 1 else ""
        for place, (number, row) in enumerate(zip(numbers, rows, strict=True)):
            for name, expected in row.expected.items():
                given = answer[outputs[name]][place : place + 1]
                # NaN differs from everything, as it should.
                if (
                    given.shape[1:] != expected.shape
                    or not (np.abs(given - expected) <= golden.tolerance).all()
                ):
                    shown = given[0].tolist() if len(given) else "missing"
                    sentence = (
                        f"{version}: golden row {number}{beside}: {outputs[name]} is {shown}, "
                        f"expected {expected.tolist()} within {golden.tolerance:g}"
                    )
                    problems[sentence] = None
    return list(problems)


def _together(rows: Sequence[GoldenRow]) -> list[list[int]]:
    """Row numbers by the shapes of the inputs, at most `MOST_TOGETHER`; one that is alone goes twice."""
    by_shape: defaultdict[object, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        by_shape[tuple(sorted((name, values.shape) for name, values in row.inputs.items()))].append(number)
    return [
        part if len(part) > 1 else part * 2
        for members in by_shape.values()
        for at in range(0, len(members), MOST_TOGETHER)
        for part in [members[at : at + MOST_TOGETHER]]
    ]
