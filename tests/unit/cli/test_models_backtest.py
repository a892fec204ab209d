"""What `sekisho models backtest` refuses before it reads anything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main

ROOT = Path(__file__).parents[3]
MODEL = "message_harassment"


def backtest(
    *arguments: str, rules: Path = ROOT / "rules", repository: Path = ROOT / "triton_repo"
) -> Result:
    environment = {
        "SEKISHO_RULES_DIR": str(rules),
        "SEKISHO_MODEL_REPOSITORY": str(repository),
        "SEKISHO_BROKER": "127.0.0.1:1",
    }
    return CliRunner(env=environment).invoke(main, ["models", "backtest", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give MODEL VERSION"),
        ((MODEL, "1", "--policy", str(ROOT / "rules" / "domains.yaml")), "give MODEL VERSION"),
        (("--policy", str(ROOT / "rules" / "domains.yaml"), "--threshold", "0.5"), "goes with a model"),
        ((MODEL,), "is no directory, and no version follows it"),
        ((MODEL, "99"), "message_harassment/99 is not in"),
        ((MODEL, "1", str(ROOT / "triton_repo" / MODEL / "1")), "two versions for the domain harassment"),
        (("image_encoder", "1"), "image_encoder"),
    ],
)
def test_what_cannot_be_tried_is_said(arguments: tuple[str, ...], said: str) -> None:
    result = backtest(*arguments)
    assert result.exit_code in {1, 2}
    assert said in result.stderr.replace("\n", " ")


def test_a_model_of_no_domain_and_one_without_a_threshold(tmp_path: Path) -> None:
    rules = tmp_path / "domains.yaml"
    rules.write_text("format: 1\ndomains:\n  fraud: {title: T, applies_to: message, severity: high}\n")
    result = backtest(MODEL, "1", rules=tmp_path)
    assert (
        "no domain of the policy has the model message_harassment, and none is called harassment"
        in result.stderr
    )
    directory = tmp_path / "version"
    shutil.copytree(ROOT / "triton_repo" / MODEL / "1", directory)
    metadata = json.loads((directory / "metadata.json").read_text())
    (directory / "metadata.json").write_text(json.dumps(metadata | {"threshold": None}))
    assert "give one with --threshold" in backtest(str(directory)).stderr


def test_a_broken_policy_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text("format: 1\ndomains:\n  x: 3\n")
    result = backtest("--policy", str(path))
    assert result.exit_code == 1
    assert f"{path}:3:" in result.stderr


def test_no_broker_is_said_after_everything_else_is_right() -> None:
    result = backtest(MODEL, "1")
    assert result.exit_code == 1
    assert "no Kafka broker at 127.0.0.1:1" in result.stderr
