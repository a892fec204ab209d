"""`sekisho doctor` beside a real broker and a real Triton."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.embedded.triton import EmbeddedTriton
from tests.integration.conftest import POLICY

pytestmark = pytest.mark.parametrize("broker", ["noida"], indirect=True)

RULES_ONLY = "\n".join(line for line in POLICY.splitlines() if "champion" not in line) + "\n"


@pytest.fixture(scope="module")
def empty_triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    directory = tmp_path_factory.mktemp("triton")
    (directory / "models").mkdir()
    server = EmbeddedTriton(directory / "models", directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _doctor(environment: dict[str, str]) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    result = CliRunner(env=environment).invoke(main, ["doctor", "--json"])
    findings: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(result.stdout)["findings"]:
        findings.setdefault(finding["area"], []).append((finding["state"], finding["message"]))
    return result.exit_code, findings


def test_from_bare_servers_to_healthy(
    command_environment: dict[str, str], empty_triton: EmbeddedTriton, tmp_path: Path
) -> None:
    environment = {**command_environment, "SEKISHO_TRITON": empty_triton.grpc_address}

    code, findings = _doctor(environment)

    assert code == 1
    assert {area for area, found in findings.items() if found[0][0] == "wrong"} == {"topics", "models"}
    assert findings["broker"][0][0] == "ok"
    assert "missing: " in findings["topics"][0][1]
    assert "message_off_platform_payment" in findings["models"][0][1]

    CliRunner(env=environment).invoke(main, ["topics", "create"])
    (Path(environment["SEKISHO_RULES_DIR"]) / "domains.yaml").write_text(RULES_ONLY)
    code, findings = _doctor(environment)

    assert [found for found in findings.values() if found[0][0] != "ok"] == []
    assert code == 0

    code, findings = _doctor({**environment, "SEKISHO_PARTITIONS": "5"})
    assert code == 1
    assert findings["topics"][0][1].endswith("has 4 partitions, should have 5")
