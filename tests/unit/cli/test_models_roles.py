"""What `sekisho models list` says of a version's part, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main

POLICY = """\
format: 1
domains:
  harassment:
    title: Insults
    applies_to: message
    severity: high
    champion: {model: message_harassment, version: 1, threshold: 0.9}
    challenger: {model: message_harassment, version: 2, threshold: 0.9, TRIAL}
"""


@pytest.mark.parametrize(
    ("trial", "part"),
    [
        ("mode: beside", "challenger"),
        ("mode: shadow", "shadow"),
        ("mode: canary, share: 0.05", "canary (0.05)"),
    ],
)
def test_a_challenger_is_listed_with_how_it_takes_part(tmp_path: Path, trial: str, part: str) -> None:
    (tmp_path / "domains.yaml").write_text(POLICY.replace("TRIAL", trial))
    (tmp_path / "models").mkdir()
    environment = {
        "SEKISHO_RULES_DIR": str(tmp_path),
        "SEKISHO_MODEL_REPOSITORY": str(tmp_path / "models"),
        "SEKISHO_TRITON": "127.0.0.1:1",
    }
    result = CliRunner(env=environment).invoke(main, ["models", "list", "--json"])
    assert result.exit_code == 0, result.output
    parts = {(m["model"], m["version"]): m["role"] for m in json.loads(result.stdout)["models"]}
    assert parts["message_harassment", 1] == "champion of harassment"
    assert parts["message_harassment", 2] == f"{part} of harassment"
