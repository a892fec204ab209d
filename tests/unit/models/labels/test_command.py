"""`sekisho labels export`: what is refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main

RULES = Path(__file__).parents[4] / "rules"


def export(*arguments: str) -> Result:
    environment = {"SEKISHO_RULES_DIR": str(RULES), "SEKISHO_BROKER": "127.0.0.1:1"}
    return CliRunner(env=environment).invoke(main, ["labels", "export", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--domain", "harrassment"], "no domain harrassment in domains.yaml"),
        (["--since", "1h", "--until", "2h"], "--since must be before --until"),
        (["--validation", "0"], "validation must be above 0"),
        (["--validation", "0.6", "--test", "0.4"], "something must be left to train on"),
        (["--since", "yesterday"], "neither `start`"),
    ],
)
def test_options_that_cannot_be_used(tmp_path: Path, arguments: list[str], said: str) -> None:
    result = export("--out", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("")
    result = export("--out", str(tmp_path), "--force")
    assert result.exit_code == 2
    assert "thesis.doc" in result.output
    assert (tmp_path / "thesis.doc").is_file()


def test_a_broker_that_is_away_is_one_line(tmp_path: Path) -> None:
    result = export("--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert "no Kafka broker at 127.0.0.1:1" in result.output
    assert "Traceback" not in result.output
