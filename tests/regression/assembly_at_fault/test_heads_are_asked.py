"""An assembly that failed on a row cost the scores of all its heads, whose own models would have given them.

And golden rows were sent one at a time, so a graph that mixes up the rows of a batch passed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from models.export.trunk import assembled
from streams.inference import sharing
from streams.inference.contracts import ModelVersion
from streams.inference.golden import golden_problems
from streams.inference.repository import Golden, GoldenRow
from streams.inference.scorer import ModelScore, Scorer
from streams.inference.staging import place_version
from tests.integration.test_shared_trunk import A1, B1, ROWS, asked, export, head_graph
from tests.integration.tiny_models import Repository, client_of, message_inputs, message_sum

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = [pytest.mark.embedded, pytest.mark.train]

#: The status that the faulty assembly has no row for.
FATAL_STATUS = 4


def failing_on_a_status(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same, but it looks the status up in a list that ends before `FATAL_STATUS`."""
    output = graph.graph.output[0].name
    for node in graph.graph.node:
        for at, name in enumerate(node.output):
            if name == output:
                node.output[at] = "right"
    nodes = [
        helper.make_node("Gather", ["noughts", "status"], ["nought"], axis=0),
        helper.make_node("Add", ["right", "nought"], [output]),
    ]
    graph.graph.node.extend(nodes)
    graph.graph.initializer.append(
        onnx.numpy_helper.from_array(np.zeros(FATAL_STATUS, np.float32), "noughts")
    )
    return graph


async def test_rows_that_an_assembly_fails_on_are_asked_of_the_heads_own_models(
    repository: Repository, start_triton, tmp_path: Path
):
    models = {version: head_graph(seed) for seed, version in enumerate([A1, B1])}
    for version, model in models.items():
        place_version(repository.path, export(tmp_path / version.model, version.model, model))
    rows = [replace(row, status=FATAL_STATUS) if at in (1, 4) else row for at, row in enumerate(ROWS)]
    async with client_of(start_triton(repository)) as client:
        scorer = Scorer(client)
        assert await scorer.check([A1, B1]) == []
        alone = await scorer.score_messages(rows, [A1, B1])
        assert all(isinstance(row[head], ModelScore) for row in alone for head in (A1, B1))

        graph = failing_on_a_status(assembled({str(version): model for version, model in models.items()}))
        built = sharing.Built(graph.SerializeToString(), (A1, B1), "sha256:")
        sharing.place_assembly(repository.path, built)
        sharing.offer(repository.path, built)
        await client.load(built.name)
        assert await scorer.check([A1, B1]) == []
        calls = asked(built.name), asked("message_a")
        assert await scorer.score_messages(rows, [A1, B1]) == alone
        assert asked(built.name) > calls[0]
        assert asked("message_a") - calls[1] == 2  # one request for each shape that had such a row


def mixing_rows_up(model: str) -> onnx.ModelProto:
    """`message_sum`, but of a whole batch: right as long as a row comes alone."""
    made = message_sum(model, 0.001)
    made.graph.node[-1].CopyFrom(
        helper.make_node("ReduceSum", ["total", "first_axis"], ["whole"], keepdims=1)
    )
    made.graph.node.extend(
        [
            helper.make_node("Sub", ["whole", "total"], ["others"]),
            helper.make_node("Add", ["total", "others"], ["score"]),
        ]
    )
    made.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0], np.int64), "first_axis"))
    return made


@pytest.mark.parametrize("count", [1, 3])
async def test_golden_rows_are_asked_together_too(repository: Repository, start_triton, count: int):
    repository.put("message_right", {1: message_sum("message_right", 0.001)})
    repository.put("message_mixed", {1: mixing_rows_up("message_mixed")})
    rows = []
    for token in (1000, 2000, 3000)[:count]:
        inputs = message_inputs([token])
        expected = {"score": np.array([token / 1000], np.float32)}
        rows.append(GoldenRow({name: values[0] for name, values in inputs.items()}, expected))
    golden = Golden(tolerance=1e-4, rows=tuple(rows))
    async with client_of(start_triton(repository)) as client:
        assert await golden_problems(client, ModelVersion("message_right", 1), golden) == []
        problems = await golden_problems(client, ModelVersion("message_mixed", 1), golden)
    assert len(problems) == count
    assert all(" beside " in problem for problem in problems)
