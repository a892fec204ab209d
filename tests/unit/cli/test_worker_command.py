"""A worker whose settings cannot be used: exit code 2 and one sentence, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEKISHO_")}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "worker"],
        cwd=ROOT,
        env={**clean, "SEKISHO_WEB_PORT": "0", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SEKISHO_PARTITIONS", "many", "SEKISHO_PARTITIONS: Input should be a valid integer"),
        ("SEKISHO_CONFIG", "/nowhere.toml", "SEKISHO_CONFIG names /nowhere.toml, which is not a file"),
        (
            "SEKISHO_TRITON_TLS_CA_FILE",
            "/nowhere.pem",
            "SEKISHO_TRITON_TLS_CA_FILE names /nowhere.pem, which is not a file",
        ),
        (
            "SEKISHO_SECURITY_PROTOCOL",
            "SASL_SSL",
            "SEKISHO_SECURITY_PROTOCOL=SASL_SSL needs a login: SEKISHO_SECURITY_USERNAME is not set",
        ),
        ("SEKISHO_RULES_DIR", "/nowhere", "check SEKISHO_RULES_DIR"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, sentence: str) -> None:
    ended = start(**{name: value})
    assert ended.returncode == 2, ended.stderr
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_variable_that_is_no_setting_is_warned_of() -> None:
    ended = start(SEKISHO_BROKR="kafka:9092", SEKISHO_RULES_DIR="/nowhere")
    assert (
        "SEKISHO_BROKR is set but is no setting; did you mean SEKISHO_BROKER?" in ended.stdout + ended.stderr
    )
