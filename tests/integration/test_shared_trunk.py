"""One request for all heads of a trunk, on a real server: the same scores, and nothing lost when heads or assemblies go."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from prometheus_client import REGISTRY

from models.export.assembly import assemblies_of
from models.export.graph import message_onnx
from models.export.metadata import ModelMetadata
from models.export.trunk import assembled, head_onnx, joined, trunk_onnx
from models.runs.exported import write_model
from streams.cli.models import command
from streams.embedded.triton import EmbeddedTriton
from streams.features.tensors import WindowFeatures
from streams.features.tokens import TOKENIZER
from streams.inference import rollout, sharing
from streams.inference.assemblies import find_assemblies
from streams.inference.contracts import ModelVersion
from streams.inference.rollout import RolloutFailed
from streams.inference.scorer import ModelFailure, ModelScore, Scorer
from streams.inference.staging import place_version
from tests.integration.tiny_models import Repository, client_of, message_inputs
from tests.unit.models.test_export import WORDS
from tests.unit.models.test_export_trunk import head, trunk_network
from tests.unit.models.test_networks import conversation_network

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = [pytest.mark.embedded, pytest.mark.train]

A1, B1, C1 = HEADS = [ModelVersion(f"message_{name}", 1) for name in "abc"]
OWN = ModelVersion("message_own", 1)
ROWS = [
    WindowFeatures((np.array(WORDS.hashes[at : at + length]),), (1,), 2)
    for at, length in enumerate([1, 7, 16, 17, 30, 33, 40, 3])
]
NETWORK = trunk_network()


def export(directory: Path, model: str, graph: onnx.ModelProto) -> Path:
    metadata = ModelMetadata(
        model=model, version=1, family="message", tokenizer=TOKENIZER, seed=1, threshold=0.5
    )
    asked = message_inputs([int(WORDS.hashes[3])])
    write_model(directory, graph, metadata, [{name: values[0] for name, values in asked.items()}])
    return directory


def head_graph(seed: int, *, broken: bool = False) -> onnx.ModelProto:
    made = head(NETWORK.width, seed)
    if broken:
        made.decide[-1].bias.data.fill_(float("nan"))
    return joined(trunk_onnx(NETWORK, WORDS), head_onnx(made))


@pytest.fixture
def fleet(repository: Repository, tmp_path: Path) -> Path:
    """Three heads of one trunk, and a model of its own."""
    for seed, version in enumerate(HEADS):
        place_version(repository.path, export(tmp_path / version.model, version.model, head_graph(seed)))
    own = message_onnx(conversation_network(), WORDS)
    place_version(repository.path, export(tmp_path / OWN.model, OWN.model, own))
    return repository.path


def asked(model: str) -> float:
    labels = {"model": model, "outcome": "ok"}
    return REGISTRY.get_sample_value("sekisho_triton_calls_total", labels) or 0.0


async def test_a_fleet_is_scored_in_one_request_and_no_score_changes(
    fleet: Path, repository: Repository, start_triton
):
    async with client_of(start_triton(repository)) as client:
        scorer = Scorer(client)
        wanted = [*HEADS, OWN]
        assert await scorer.check(wanted) == []
        alone = await scorer.score_messages(ROWS, wanted)
        [built] = assemblies_of(fleet, wanted)
        assert built.heads == tuple(HEADS)

        served = await sharing.serve(client, fleet, built)
        assert await scorer.check(wanted) == []
        before = {model: asked(model) for model in (*(v.model for v in wanted), built.name)}
        together = await scorer.score_messages(ROWS, wanted)

        # Bit for bit, under the heads' own names.
        assert together == alone
        assert all(isinstance(row[head], ModelScore) for row in together for head in wanted)
        now = {model: asked(model) - count for model, count in before.items()}
        assert now == {"message_a": 0, "message_b": 0, "message_c": 0, "message_own": 3, built.name: 3}
        # Again: it is there, and nothing is done.
        assert await sharing.serve(client, fleet, built) == served


async def test_an_assembly_that_was_never_checked_is_not_asked_and_is_checked_when_it_is_shared_again(
    fleet: Path, repository: Repository, start_triton
):
    """Whoever shared it ended before its heads had answered: it is loaded, and may be wrong."""
    async with client_of(start_triton(repository)) as client:
        scorer = Scorer(client)
        [built] = assemblies_of(fleet, HEADS)
        sharing.place_assembly(fleet, built)
        await client.load(built.name)
        await rollout.wait_ready(client, ModelVersion(built.name, 1))
        assert await find_assemblies(client) == ()
        before = asked(built.name)
        assert await scorer.check(HEADS) == []
        await scorer.score_messages(ROWS, HEADS)
        assert asked(built.name) == before

        served = await sharing.serve(client, fleet, built)
        assert await find_assemblies(client) == (served,)


async def test_a_head_that_was_replaced_is_asked_alone_until_the_next_assembly(
    fleet: Path, repository: Repository, start_triton, tmp_path: Path
):
    async with client_of(start_triton(repository)) as client:
        scorer = Scorer(client)
        [first] = assemblies_of(fleet, HEADS)
        await sharing.serve(client, fleet, first)
        assert await scorer.check(HEADS) == []
        before = await scorer.score_messages(ROWS, HEADS)

        b2 = await rollout.add(client, fleet, export(tmp_path / "b2", "message_b", head_graph(50)))
        wanted = [A1, b2, C1]
        assert await scorer.check(wanted) == []
        calls = asked(first.name), asked("message_b")
        between = await scorer.score_messages(ROWS, wanted)
        assert (asked(first.name) - calls[0], asked("message_b") - calls[1]) == (3, 3)

        [second] = assemblies_of(fleet, wanted)
        await sharing.serve(client, fleet, second)
        assert await sharing.take_out_others(client, fleet, [second.name], idle_s=0) == [first.name]
        assert await scorer.check(wanted) == []
        calls = asked(second.name), asked("message_b")
        after = await scorer.score_messages(ROWS, wanted)
        assert (asked(second.name) - calls[0], asked("message_b") - calls[1]) == (3, 0)

        assert after == between
        assert [(row[A1], row[C1]) for row in after] == [(row[A1], row[C1]) for row in before]
        assert [row[b2] for row in after] != [row[B1] for row in before]
        assert not (fleet / first.name).exists()


async def test_an_assembly_that_goes_away_under_traffic_loses_no_score(
    fleet: Path, repository: Repository, start_triton
):
    async with client_of(start_triton(repository)) as client:
        scorer = Scorer(client)
        [built] = assemblies_of(fleet, HEADS)
        await sharing.serve(client, fleet, built)
        assert await scorer.check(HEADS) == []
        before = await scorer.score_messages(ROWS, HEADS)
        await client.unload(built.name)
        assert await scorer.score_messages(ROWS, HEADS) == before
        calls = asked("message_a")
        assert await scorer.score_messages(ROWS, HEADS) == before
        assert asked("message_a") - calls == 3  # it was forgotten, not tried again


async def test_not_a_number_of_one_head_is_that_heads_failure(
    repository: Repository, start_triton, tmp_path: Path
):
    for seed, version in enumerate([A1, B1]):
        graph = head_graph(seed, broken=version == B1)
        directory = export(tmp_path / version.model, version.model, graph)
        golden = json.loads((directory / "golden.json").read_text().replace("NaN", "0.5"))
        (directory / "golden.json").write_text(json.dumps(golden))
        place_version(repository.path, directory)
    models = {version: head_graph(seed, broken=version == B1) for seed, version in enumerate([A1, B1])}
    async with client_of(start_triton(repository)) as client:
        # Its golden rows would never let it in; put in by hand it does what a model does that breaks later.
        graph = assembled({str(version): model for version, model in models.items()})
        built = sharing.Built(graph.SerializeToString(), (A1, B1), "sha256:")
        sharing.place_assembly(repository.path, built)
        sharing.offer(repository.path, built)
        await client.load(built.name)
        scorer = Scorer(client)
        assert await scorer.check([A1, B1]) == []
        calls = asked(built.name)
        answers = await scorer.score_messages(ROWS, [A1, B1])
        assert asked(built.name) - calls == 3
        assert all(isinstance(row[A1], ModelScore) for row in answers)
        assert all(row[B1] == ModelFailure("not_finite", retriable=False) for row in answers)


async def test_an_assembly_whose_heads_answer_otherwise_than_theirs_did_is_taken_out_again(
    fleet: Path, repository: Repository, start_triton
):
    golden = fleet / "message_b" / "1" / "golden.json"
    rows = json.loads(golden.read_text())
    rows["rows"][0]["expected"]["score"] = [0.999]
    golden.write_text(json.dumps(rows))
    async with client_of(start_triton(repository)) as client:
        [built] = assemblies_of(fleet, HEADS)
        with pytest.raises(RolloutFailed, match=r"golden row 0: message_b/1 is .* expected \[0\.999"):
            await sharing.serve(client, fleet, built)
        assert sharing.assemblies_in(fleet) == []
        scorer = Scorer(client)
        assert await scorer.check(HEADS) == []
        assert all(isinstance(row[A1], ModelScore) for row in await scorer.score_messages(ROWS, HEADS))


POLICY = "format: 1\ndomains:\n" + "".join(
    f"  about_{version.model[-1]}:\n    title: T\n    applies_to: message\n    severity: low\n"
    f"    champion: {{model: {version.model}, version: 1, threshold: 0.5}}\n"
    for version in HEADS
)


def share(repository: Path, rules: Path, server: EmbeddedTriton | None) -> Result:
    environment = {
        "SEKISHO_MODEL_REPOSITORY": str(repository),
        "SEKISHO_RULES_DIR": str(rules),
        "SEKISHO_TRITON": server.grpc_address if server else "127.0.0.1:1",
        "SEKISHO_TRITON_TIMEOUT_S": "10",
        "SEKISHO_RULES_POLL_S": "0.2",
    }
    return CliRunner().invoke(command, ["share"], env=environment)


def test_the_command_shares_what_the_policy_names(
    fleet: Path, repository: Repository, start_triton, tmp_path: Path
):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "domains.yaml").write_text(POLICY)
    refused = share(fleet, rules, None)
    assert refused.exit_code == 1
    assert "Triton does not answer" in refused.output
    server = start_triton(repository)
    done = share(fleet, rules, server)
    assert done.exit_code == 0, done.output
    [name] = sharing.assemblies_in(fleet)
    assert f"{name}: scores message_a/1, message_b/1, message_c/1 in one request" in done.output
    (rules / "domains.yaml").write_text(POLICY.replace("message_b", "message_own"))
    again = share(fleet, rules, server)
    assert again.exit_code == 0, again.output
    assert f"{name} was removed" in again.output
    assert [*sharing.assemblies_in(fleet)] != [name]
    (rules / "domains.yaml").write_text(POLICY[: POLICY.index("  about_b:")])
    last = share(fleet, rules, server)
    assert "no two message models of the policy hold the same trunk" in last.output
    assert sharing.assemblies_in(fleet) == []
