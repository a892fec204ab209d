"""The demo as a newcomer and as a program run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.embedded


def demo(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "demo", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize("broker", ["noida", "tansu"])
def test_the_books_balance_and_the_edited_rule_takes_effect(broker: str, tmp_path: Path) -> None:
    done = demo(
        "--seconds", "15", "--rate", "40", "--broker", broker, "--directory", str(tmp_path / "demo"), "--json"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert result["events"] == result["predictions"] + result["dead_letters"]
    assert result["dead_letters"] >= 1
    assert 0 < result["reports"] == result["reports_in_alerts"]
    assert result["reconciles"] is True
    assert result["events"] >= 500
    assert sum(counts["rule"] for counts in result["alerts"].values()) > 0
    assert sum(counts["model"] for counts in result["alerts"].values()) > 0
    assert result["p50_ms"] <= result["p99_ms"]
    assert result["rule_edit_to_first_alert_s"] > 0
    assert "demo.new_payment_app" in done.stderr
    assert "holds" in done.stderr


def test_outside_the_repository_it_says_what_is_missing(tmp_path: Path) -> None:
    done = demo(cwd=tmp_path)
    assert done.returncode == 1
    assert "triton_repo is not there" in done.stderr
    assert "Traceback" not in done.stderr
