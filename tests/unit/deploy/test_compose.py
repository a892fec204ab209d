"""The compose file and the image: what can be known of them without a container engine."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.cli import COMMANDS
from streams.cli.console import variable
from streams.settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
SETTINGS = {variable(field) for field in Settings.model_fields}


def _substituted(value: str) -> str:
    """As compose does it with .env.example for .env."""
    return re.sub(
        r"\$\{(?P<name>\w+)(?::[-?](?P<default>[^}]*))?\}",
        lambda found: EXAMPLE.get(found["name"], found["default"] or ""),
        value,
    )


def test_every_image_is_pinned() -> None:
    images = [service["image"] for service in SERVICES.values()] + re.findall(
        r"^FROM (\S+)", DOCKERFILE, re.M
    )

    assert images
    for image in images:
        _, _, tag = image.rpartition(":")
        assert tag
        assert tag != "latest"


def test_nothing_is_published_beyond_this_machine() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), name


def test_triton_and_the_metrics_are_on_networks_without_a_way_out() -> None:
    assert COMPOSE["networks"]["models"]["internal"] is True
    for name in ("triton-gpu", "triton-cpu"):
        assert list(SERVICES[name]["networks"]) == ["models"]
        assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", ["triton-gpu", "triton-cpu"])
def test_triton_loads_only_what_it_is_told_and_survives_a_bad_model(name: str) -> None:
    service = SERVICES[name]

    assert {
        "--model-control-mode=explicit",
        "--strict-readiness=false",
        "--exit-on-error=false",
        "--disable-auto-complete-config",
    } <= set(service["command"])
    assert service["shm_size"] == "256m"
    assert service["networks"]["models"]["aliases"] == ["triton"]


def test_one_triton_by_profile_and_gpu_is_the_example() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}

    assert profiles == {"triton-gpu": ["gpu"], "triton-cpu": ["cpu"]}
    assert EXAMPLE["COMPOSE_PROFILES"] == "gpu"


def test_every_service_that_serves_has_a_health_check() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"topics"}


def test_the_engine_gets_settings_that_exist_and_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("worker", "topics"):
        environment = {key: _substituted(str(value)) for key, value in SERVICES[name]["environment"].items()}
        assert set(environment) <= SETTINGS
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        settings = Settings()
        assert settings.broker == "kafka:19092"
        assert SERVICES[name]["command"][0] in COMMANDS
    assert settings.triton == "triton:8001"


def test_a_worker_has_time_to_finish_what_is_in_flight() -> None:
    grace_s = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))

    assert grace_s > 2 * Settings().drain_s


def test_every_variable_has_an_example_and_every_example_is_used() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{(\w+)", text))

    assert used == set(EXAMPLE) - {"COMPOSE_PROFILES"}


def test_every_mounted_path_of_the_repository_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).is_dir(), source
            else:
                assert source in COMPOSE["volumes"]


def test_every_network_and_dependency_is_defined() -> None:
    for service in SERVICES.values():
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", [])) <= set(SERVICES)


def test_the_image_runs_the_engine_without_rights_and_without_what_it_does_not_need() -> None:
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]

    assert re.search(r"^USER sekisho$", final, re.M)
    assert final.index("\nUSER ") > final.rindex("\nRUN ")
    assert "HEALTHCHECK" in final
    assert 'ENTRYPOINT ["sekisho"]' in final
    assert not re.search(r"\[(train|embedded|dev)", DOCKERFILE)
    assert "curl" not in DOCKERFILE
    for name in ("worker", "topics"):
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_the_ignore_file_lets_through_what_is_copied() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        source
        for arguments in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M)
        for source in arguments.split()[:-1]
    ]

    assert copied
    for source in copied:
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source


def test_the_user_of_the_image_owns_what_is_mounted_in_memory() -> None:
    (uid,) = re.findall(r"--uid (\d+)", DOCKERFILE)

    assert any(f"uid={uid}" in mount for mount in SERVICES["worker"]["tmpfs"])
