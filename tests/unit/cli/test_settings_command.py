from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.settings import Settings


def _invoke(*arguments: str, **environment: str) -> tuple[str, str]:
    result = CliRunner(env={"COLUMNS": "200", **environment}).invoke(main, ["settings", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_every_setting_is_listed_with_variable_default_and_description() -> None:
    stdout, _ = _invoke("--json")

    settings = json.loads(stdout)
    assert [setting["name"] for setting in settings] == list(Settings.model_fields)
    assert all(setting["description"] for setting in settings)
    (broker,) = [setting for setting in settings if setting["name"] == "broker"]
    assert broker == {
        "name": "broker",
        "variable": "SEKISHO_BROKER",
        "value": "127.0.0.1:9092",
        "default": "127.0.0.1:9092",
        "changed": False,
        "description": "Kafka bootstrap servers, host:port, comma separated",
    }


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_secrets_are_hidden(arguments: tuple[str, ...]) -> None:
    stdout, stderr = _invoke(
        *arguments, SEKISHO_SECURITY_PASSWORD="hunter2", SEKISHO_TRITON_ADMIN_KEY="hunter2"
    )

    assert "hunter2" not in stdout + stderr
    assert "********" in stdout


def test_changed_values_stand_beside_their_default() -> None:
    stdout, stderr = _invoke(
        SEKISHO_PARTITIONS="16", SEKISHO_IMAGE_HOSTS='["img.example"]', SEKISHO_PARTITION="3"
    )

    lines = {line.split()[0]: line.split() for line in stdout.splitlines()}
    assert lines["SEKISHO_PARTITIONS"][1:3] == ["16", "8"]
    assert lines["SEKISHO_IMAGE_HOSTS"][1:3] == ['["img.example"]', "[]"]
    assert lines["SEKISHO_GROUP"][1:3] == ["sekisho", "name"]
    assert "SEKISHO_PARTITION is set but is no setting; did you mean SEKISHO_PARTITIONS?" in stderr
