"""What `sekisho compare` refuses before it reads anything."""

from __future__ import annotations

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
"""


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("harassmnt", "there is no domain harassmnt; there are harassment"),
        ("harassment", "harassment has no challenger: write one into domains.yaml, `challenger: {model: …"),
    ],
)
def test_a_domain_that_cannot_be_compared_is_refused_with_what_to_do(
    tmp_path: Path, domain: str, said: str
) -> None:
    (tmp_path / "domains.yaml").write_text(POLICY)
    result = CliRunner(env={"SEKISHO_RULES_DIR": str(tmp_path)}).invoke(main, ["compare", "--domain", domain])
    assert result.exit_code == 1
    assert said in result.stderr
