"""docs/security.md: its examples are settings that work, its flags those that are tested, its tests are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import web

from streams.inference.triton import TritonClient
from streams.kafka.security import client_options, faust_credentials
from streams.settings import Settings
from streams.worker import Worker
from tests.kafka_server import certificates

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not certificates.available():
        pytest.skip("openssl is not on the PATH")
    directory = tmp_path_factory.mktemp("tls")
    certificates.make(directory)
    return directory


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.split("\n")[1] for example in EXAMPLES])
async def test_every_example_is_taken(
    example: str, tls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sekisho_security_password").write_text("from-a-file")
    (tmp_path / "sekisho_triton_admin_key").write_text("from-a-file")
    placed = example.replace("/etc/sekisho/tls", str(tls)).replace("/run/secrets", str(tmp_path))
    given = dict(line.split("=", 1) for line in placed.splitlines())
    if "SECURITY_PROTOCOL" not in example:  # the password lies there for the other example
        (tmp_path / "sekisho_security_password").unlink()
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = Settings()

    fields = {name.removeprefix("SEKISHO_").lower() for name in given} - {"secrets_dir"}
    assert fields <= settings.model_fields_set
    options = client_options(settings)
    assert ("sasl_plain_password" in options) == (settings.security_protocol == "SASL_SSL")
    assert (faust_credentials(settings) is None) == (settings.security_protocol == "PLAINTEXT")
    await TritonClient.from_settings(settings).close()


def test_there_are_examples_of_each_kind() -> None:
    assert len(EXAMPLES) == 3


def test_tritons_flags_are_those_of_the_tests() -> None:
    tested = (ROOT / "tests" / "integration" / "security" / "conftest.py").read_text()
    flags = re.findall(r"--grpc-[a-z-]+", PAGE)
    assert flags
    assert all(flag in tested for flag in flags)
    assert "model-repository,shared-memory,logging,trace:admin=" in tested


def test_the_tests_it_names_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_web_server_answers_what_the_page_lists_and_nothing_can_be_sent_to_it(
    tmp_path: Path,
) -> None:
    listed = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `/")}
    routes = [
        (route.method, route.resource and route.resource.canonical)
        for route in Worker(Settings(data_dir=tmp_path, web_port=0))._server.application().router.routes()
        if isinstance(route, web.AbstractRoute)
    ]
    assert {path for _, path in routes} == listed
    assert {method for method, _ in routes} == {"GET", "HEAD"}


def test_the_web_server_is_for_this_machine_unless_told_otherwise() -> None:
    assert Settings.model_fields["web_bind"].default == "127.0.0.1"
