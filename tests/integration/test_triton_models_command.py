"""`sekisho models` on a real server: a version's way from a directory to the champion, and back."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli.models import command
from streams.embedded.triton import EmbeddedTriton
from streams.features.tokens import TOKENIZER
from streams.inference.durable import sole_writer
from streams.policy import parse_policy
from tests.integration.tiny_models import client_of, message_crash, message_inputs, message_sum

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded

POLICY = """\
# Thresholds were agreed with the moderators.
format: 1
domains:
  sums:   # the only one
    title: Adds up
    applies_to: message
    severity: low
    champion: {model: message_sum, version: 1, threshold: 0.9}   # since spring
"""


def trained(directory: Path, scale: float, *, expected: float | None = None, **metadata) -> Path:
    """What training leaves behind; `expected` is the golden score of Σ tokens = 1000."""
    directory.mkdir()
    (directory / "model.onnx").write_bytes(message_sum("message_sum", scale).SerializeToString())
    described = {"model": "message_sum", "version": 1, "tokenizer": TOKENIZER, "threshold": 0.75, **metadata}
    (directory / "metadata.json").write_text(json.dumps(described))
    row = {
        "inputs": {name: array[0].tolist() for name, array in message_inputs([1000]).items()},
        "expected": {"score": [1000 * scale if expected is None else expected]},
    }
    (directory / "golden.json").write_text(json.dumps({"tolerance": 1e-4, "rows": [row]}))
    return directory


class Shop:
    """A repository with version 1 of one model, a policy, and the server, as a command sees them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.rules = base / "rules"
        self.rules.mkdir()
        self.policy = self.rules / "domains.yaml"
        self.policy.write_text(POLICY)
        self.repository = base / "repository"
        self.triton = "127.0.0.1:1"

    def run(self, *arguments: str) -> Result:
        environment = {
            "SEKISHO_MODEL_REPOSITORY": str(self.repository),
            "SEKISHO_RULES_DIR": str(self.rules),
            "SEKISHO_TRITON": self.triton,
            "SEKISHO_TRITON_TIMEOUT_S": "10",
            "SEKISHO_RULES_POLL_S": "0.2",
        }
        return CliRunner().invoke(command, list(arguments), env=environment, catch_exceptions=False)

    def listed(self) -> dict[int, dict]:
        result = self.run("list", "--json")
        assert result.exit_code == 0, result.output
        return {m["version"]: m for m in json.loads(result.stdout)["models"] if m["model"] == "message_sum"}


@pytest.fixture
def shop(repository, tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    result = made.run("add", "--no-load", str(trained(tmp_path / "first", 0.001)))
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def served(shop: Shop, repository, start_triton) -> tuple[Shop, EmbeddedTriton]:
    server = start_triton(repository)
    shop.triton = server.grpc_address
    return shop, server


def score(server: EmbeddedTriton, version: int) -> float:
    async def ask() -> float:
        async with client_of(server) as client:
            answer = await client.infer("message_sum", version, message_inputs([1000]), ["score"])
        return float(answer["score"][0, 0])

    return asyncio.run(ask())


def test_a_version_is_added_promoted_and_its_predecessor_removed(served):
    shop, server = served
    second = trained(
        shop.base / "second", 0.002, metrics={"test": {"auroc": 0.9512, "average_precision": 0.8034}}
    )

    added = shop.run("add", str(second))
    assert added.output == (
        "message_sum/2: served and checked; `sekisho models promote message_sum 2` gives it the traffic\n"
    )
    assert (score(server, 1), score(server, 2)) == pytest.approx((1.0, 2.0))
    assert [(v, m["state"], m["role"]) for v, m in shop.listed().items()] == [
        (1, "READY", "champion of sums"), (2, "READY", None)
    ]  # fmt: skip
    table = shop.run("list").stdout
    assert "test: AUROC 0.951, AP 0.803" in table

    refused = shop.run("remove", "message_sum", "1")
    assert refused.exit_code == 1
    assert "message_sum/1 is in use (champion of sums)" in refused.output

    promoted = shop.run("promote", "message_sum", "2")
    assert promoted.output == "message_sum/2 is the champion, threshold 0.75\n"
    assert shop.policy.read_text() == POLICY.replace(
        "version: 1, threshold: 0.9", "version: 2, threshold: 0.75"
    )
    assert parse_policy(shop.policy.read_bytes(), "domains.yaml")[1] == []

    assert shop.run("remove", "message_sum", "1").exit_code == 0
    assert list(shop.listed()) == [2]
    assert score(server, 2) == pytest.approx(2.0)


def test_a_threshold_may_be_given(served):
    shop, _ = served
    assert shop.run("promote", "message_sum", "1", "--threshold", "0.5").exit_code == 0
    assert "threshold: 0.5}   # since spring" in shop.policy.read_text()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: (d / "model.onnx").write_bytes(b"no model"), "model.onnx"),
        (
            lambda d: (d / "model.onnx").write_bytes(message_sum("message_sum", 7.0).SerializeToString()),
            "golden row 0",
        ),
    ],
    ids=["unreadable", "other than exported"],
)
def test_a_bad_version_is_taken_out_again(served, change, reason):
    shop, server = served
    second = trained(shop.base / "second", 0.002)
    change(second)
    result = shop.run("add", str(second))
    assert result.exit_code == 1
    assert reason in result.output
    assert "message_sum/2 was taken out again" in result.output
    assert list(shop.listed()) == [1]
    assert score(server, 1) == pytest.approx(1.0)
    # Its number is free: nothing was ever scored with it.
    assert "message_sum/2: served" in shop.run("add", str(trained(shop.base / "third", 0.003))).output
    assert score(server, 2) == pytest.approx(3.0)


def test_a_new_model_that_is_bad_leaves_nothing(served):
    shop, _ = served
    bad = trained(shop.base / "bad", 0.001, model="message_other")
    (bad / "model.onnx").write_bytes(b"no model")
    result = shop.run("add", str(bad))
    assert result.exit_code == 1
    assert "message_other/1 was taken out again" in result.output
    assert not (shop.repository / "message_other").exists()


def test_another_tokeniser_is_refused_before_any_traffic(served):
    shop, _ = served
    other = trained(shop.base / "other", 0.002, tokenizer="other/9")
    result = shop.run("add", str(other))
    assert result.exit_code == 1
    assert "trained with tokeniser other/9" in result.output
    assert list(shop.listed()) == [1]


def test_a_version_that_answers_wrongly_is_not_promoted(served):
    shop, _ = served
    golden = shop.repository / "message_sum" / "1" / "golden.json"
    golden.write_text(golden.read_text().replace('"score": [1.0]', '"score": [0.5]'))
    result = shop.run("promote", "message_sum", "1")
    assert result.exit_code == 1
    assert "score is [1.0" in result.output
    assert "nothing was changed" in result.output
    assert shop.policy.read_text() == POLICY


def test_without_triton_list_still_lists_and_add_changes_nothing(shop):
    result = shop.run("list")
    assert result.exit_code == 0
    assert "UNKNOWN" in result.stdout
    assert "was not asked: unavailable" in result.stderr
    refused = shop.run("add", str(trained(shop.base / "second", 0.002)))
    assert refused.exit_code == 1
    assert "nothing was changed" in refused.output
    assert list(shop.listed()) == [1]


def test_a_version_that_the_policy_names_and_nobody_has_is_listed(shop):
    shop.policy.write_text(POLICY.replace("version: 1", "version: 9"))
    assert "no such file" in shop.listed()[9]["problem"].lower()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("promote", "message_sum", "7"), "metadata.json: No such file"),
        (("remove", "message_sum", "7"), "message_sum/7: no such version"),
        (("promote", "message_quiet", "1"), "suggests no threshold; give one with --threshold"),
        (("promote", "message_quiet", "1", "--threshold", "0.5"), "no domain has a champion message_quiet"),
    ],
)
def test_what_cannot_be_done_is_explained(served, arguments, message):
    shop, _ = served
    quiet = trained(shop.base / "quiet", 0.001, model="message_quiet", threshold=None)
    assert shop.run("add", str(quiet)).exit_code == 0
    result = shop.run(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert shop.policy.read_text() == POLICY


def test_a_version_without_golden_rows_is_not_promoted(served):
    shop, _ = served
    (shop.repository / "message_sum" / "1" / "golden.json").unlink()
    result = shop.run("promote", "message_sum", "1")
    assert result.exit_code == 1
    assert "golden.json: No such file" in result.output


def test_a_server_that_wants_the_admin_key_says_so(shop, repository, start_triton):
    shop.triton = start_triton(
        repository, extra_arguments=["--grpc-restricted-protocol=model-repository:admin=open-sesame"]
    ).grpc_address
    result = shop.run("add", str(trained(shop.base / "second", 0.002)))
    assert result.exit_code == 1
    assert "restricted" in result.output
    assert "message_sum/2 was taken out again" in result.output
    assert list(shop.listed()) == [1]
    shop.policy.write_text(POLICY.replace("message_sum", "message_other"))
    result = shop.run("remove", "message_sum", "1")
    assert result.exit_code == 1
    assert "message_sum/1 stays: Triton refused to let go of it (restricted" in result.output
    assert list(shop.listed()) == [1]
    assert shop.run("remove", "--no-load", "message_sum", "1").exit_code == 0
    assert not (shop.repository / "message_sum").exists()


def test_a_version_that_is_still_asked_for_stays(served, monkeypatch):
    shop, server = served
    monkeypatch.setattr("streams.inference.rollout._PATIENCE_S", 1.0)
    assert shop.run("add", str(trained(shop.base / "second", 0.002))).exit_code == 0
    asking = threading.Event()

    def ask() -> None:
        while not asking.wait(0.05):
            score(server, 2)

    worker = threading.Thread(target=ask)
    worker.start()
    try:
        refused = shop.run("remove", "message_sum", "2")
    finally:
        asking.set()
        worker.join()
    assert refused.exit_code == 1
    assert re.search(r"message_sum/2 stays: it was asked \d+ times", refused.output)
    assert score(server, 2) == pytest.approx(2.0)
    assert shop.run("remove", "message_sum", "2").exit_code == 0
    assert list(shop.listed()) == [1]


def test_two_commands_do_not_change_the_repository_at_once(shop):
    with sole_writer(shop.repository):
        refused = shop.run("remove", "--no-load", "message_sum", "1")
    assert refused.exit_code == 1
    assert "another command is changing" in refused.output
    assert list(shop.listed()) == [1]


def test_a_version_that_kills_its_process_while_loading_is_taken_out_again(served):
    shop, server = served
    second = trained(shop.base / "second", 0.002)
    (second / "model.onnx").write_bytes(message_crash("message_sum").SerializeToString())
    result = shop.run("add", str(second))
    assert result.exit_code == 1
    assert "message_sum/2 was taken out again" in result.output
    assert list(shop.listed()) == [1]
    assert score(server, 1) == pytest.approx(1.0)


def test_addresses_that_cannot_be_used_are_explained(shop):
    shop.triton = "http://triton:8000"
    result = shop.run("list")
    assert result.exit_code == 1
    assert "is not host:port" in result.output
