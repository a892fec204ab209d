"""What `sekisho archive` says when it cannot begin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.archive.target import target_at
from streams.cli import main


def archive(out: str) -> tuple[int, str]:
    result = CliRunner(env={"SEKISHO_BROKER": "127.0.0.1:1"}).invoke(main, ["archive", "--out", out])
    return result.exit_code, result.stderr


def test_no_broker_is_said(tmp_path: Path) -> None:
    code, said = archive(str(tmp_path))
    assert code == 1
    assert "no Kafka broker at 127.0.0.1:1" in said


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    with target_at(str(tmp_path)).alone():
        code, said = archive(str(tmp_path))
    assert code == 1
    assert "another command is changing" in said


@pytest.mark.parametrize(
    ("out", "expected"),
    [("nosuch://place", "nosuch"), ("/dev/null/archive", "NotADirectoryError"), ("adl://store/x", "adlfs")],
)
def test_a_place_that_cannot_be_used_is_said(out: str, expected: str) -> None:
    code, said = archive(out)
    assert code == 1
    assert expected in said


def test_without_its_packages_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['pyarrow'] = None; from streams.cli import main; main(['archive'])"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert ended.returncode == 1
    assert "the archive needs pyarrow: pip install 'sekisho[archive]'" in ended.stderr
