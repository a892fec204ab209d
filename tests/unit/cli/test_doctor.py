from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.cli.doctor import LITTLE_DISK_BYTES, NO_DISK_BYTES, Finding, check_disk, check_variables
from tests.kafka_server.apache_kafka import free_ports


def test_nothing_running_and_rules_missing_is_said_with_what_to_do(tmp_path: Path) -> None:
    broker_port, triton_port = free_ports(2)
    environment = {
        "SEKISHO_BROKER": f"127.0.0.1:{broker_port}",
        "SEKISHO_TRITON": f"127.0.0.1:{triton_port}",
        "SEKISHO_RULES_DIR": str(tmp_path),
        "SEKISHO_DATA_DIR": str(tmp_path / "data"),
    }

    result = CliRunner(env=environment).invoke(main, ["doctor", "--json"])
    readable = CliRunner(env=environment).invoke(main, ["doctor"])

    assert (result.exit_code, readable.exit_code) == (1, 1)
    answer = json.loads(result.stdout)
    assert answer["healthy"] is False
    states = {finding["area"]: finding["state"] for finding in answer["findings"]}
    assert states == {
        "settings": "ok",
        "disk": "ok",
        "rules": "wrong",
        "dictionary": "ok",
        "broker": "wrong",
        "triton": "wrong",
    }
    assert all(finding["advice"] for finding in answer["findings"] if finding["state"] == "wrong")
    assert f"✗ broker     no Kafka broker at 127.0.0.1:{broker_port}" in readable.stdout
    assert "\n  → start it, or correct SEKISHO_TRITON" in readable.stdout
    assert readable.stderr == ""


def test_a_variable_that_is_no_setting_is_a_warning() -> None:
    assert check_variables(["PATH"])[0].state == "ok"
    (finding,) = check_variables(["SEKISHO_BROKR"])
    assert (finding.area, finding.state) == ("settings", "warning")


def test_the_disk_is_that_of_the_nearest_existing_directory(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "not" / "yet").state == "ok"


def test_a_file_in_the_way_of_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    finding = check_disk(tmp_path / "data" / "worker")

    assert finding.state == "wrong"
    assert f"{tmp_path / 'data'} cannot be written to" in finding.message


@pytest.mark.parametrize(
    ("free", "state"),
    [(LITTLE_DISK_BYTES, "ok"), (LITTLE_DISK_BYTES - 1, "warning"), (NO_DISK_BYTES - 1, "wrong")],
)
def test_little_room_is_told(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))

    finding = check_disk(tmp_path)

    assert isinstance(finding, Finding)
    assert finding.state == state
