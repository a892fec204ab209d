from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from streams.cli import main


def _create(rules: Path) -> tuple[int, str]:
    result = CliRunner(env={"SEKISHO_RULES_DIR": str(rules)}).invoke(main, ["topics", "create"])
    return result.exit_code, result.stderr


def test_a_missing_policy_is_said_with_the_variable(tmp_path: Path) -> None:
    code, said = _create(tmp_path)

    assert code == 1
    assert "domains.yaml: No such file or directory. SEKISHO_RULES_DIR must name" in said


def test_a_policy_that_cannot_be_used_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "domains.yaml").write_text("format: 1\ndomains:\n  x:\n    applies_to: seller\n")

    code, said = _create(tmp_path)

    assert code == 1
    assert "domains.yaml:4:" in said
