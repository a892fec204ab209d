"""A whole worker behind logins, certificates and keys: it works, shows what is documented, and tells no secret."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from click.testing import CliRunner
from pydantic import SecretStr

from streams.cli import COMMANDS, main
from streams.embedded.triton import EmbeddedTriton
from streams.kafka.topics import catalogue, create
from streams.settings import Settings
from tests.integration.conftest import DOMAINS, POLICY
from tests.integration.kafka_records import everything_in
from tests.integration.security.conftest import ADMIN_KEY, PASSWORD, USERNAME
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send
from tests.kafka_server.apache_kafka import SecureListeners
from tests.kafka_server.certificates import Certificates

#: Longer than the waits of one test together: a starved machine is no defect.
pytestmark = [pytest.mark.kafka, pytest.mark.embedded, pytest.mark.timeout(1200)]

#: Stands in a message and nowhere else: logs show no events either.
SAID = "xylophone-quarantine"


def _settings(
    tmp_path: Path, listeners: SecureListeners, triton: EmbeddedTriton, tls: Certificates, **changed: Any
) -> Settings:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "domains.yaml").write_text(POLICY)
    given = {
        "broker": f"127.0.0.1:{listeners.sasl_tls_port}",
        "topic_prefix": f"{tmp_path.name}.",
        "partitions": 1,
        "security_protocol": "SASL_SSL",
        "security_username": USERNAME,
        "security_ca_file": tls.authority.certificate,
        "triton": triton.grpc_address,
        "triton_tls_ca_file": tls.authority.certificate,
        "triton_tls_cert_file": tls.client.certificate,
        "triton_tls_key_file": tls.client.key,
        "rules_dir": rules,
        "data_dir": tmp_path / "data",
        "log_level": "debug",
        "drain_s": 2.0,
    }
    return Settings(**(given | changed))


@pytest.fixture
def without_secrets(
    tmp_path: Path, listeners: SecureListeners, locked_triton: EmbeddedTriton, tls: Certificates
) -> Settings:
    """With PLAIN, which sends the password as it is."""
    return _settings(tmp_path, listeners, locked_triton, tls, security_sasl_mechanism="PLAIN")


@pytest.fixture
def secrets_dir(tmp_path: Path) -> Path:
    """The secrets, each in its file."""
    files = tmp_path / "secrets"
    files.mkdir()
    (files / "sekisho_security_password").write_text(PASSWORD)
    (files / "sekisho_triton_admin_key").write_text(ADMIN_KEY)
    return files


@pytest_asyncio.fixture
async def settings(without_secrets: Settings) -> Settings:
    """The same with the secrets, and topics made."""
    made = without_secrets.model_copy(
        update={"security_password": SecretStr(PASSWORD), "triton_admin_key": SecretStr(ADMIN_KEY)}
    )
    outcomes = await create(made, catalogue(made, DOMAINS))
    assert all(outcome.result == "created" for outcome in outcomes), outcomes
    return made


@pytest_asyncio.fixture
async def worker(
    settings: Settings, without_secrets: Settings, secrets_dir: Path
) -> AsyncIterator[WorkerProcess]:
    """A worker that reads its secrets from their files."""
    process = WorkerProcess(without_secrets, SEKISHO_SECRETS_DIR=str(secrets_dir))
    try:
        yield await process.start().wait_ready(timeout_s=300)
    finally:
        process.kill()


def assert_no_secrets(shown: str, tls: Certificates, *others: str) -> None:
    for secret in (PASSWORD, ADMIN_KEY, *others):
        for spelling in (
            secret,
            base64.b64encode(secret.encode()).decode().rstrip("="),
            secret.encode().hex(),
        ):
            assert spelling not in shown
    for key in (tls.client.key, tls.stranger.key):
        assert key.read_text().splitlines()[1] not in shown


async def test_it_screens_and_tells_no_secret_at_any_level(
    settings: Settings, worker: WorkerProcess, tls: Certificates
) -> None:
    await send(settings, [message("m1", SAID), ("messages", b"t", b"not json")])
    outputs = await accounted_for(settings, DOMAINS, timeout_s=300)
    shown = [worker.get(path)[1] for path in ("/healthz", "/readyz", "/rules", "/metrics")]
    records = await everything_in(settings, *(spec.name for spec in catalogue(settings, DOMAINS)))
    assert await worker.stop() == 0

    assert [score["score"] is not None for score in outputs.prediction_of("m1")["scores"]] == [True]
    assert outputs.dead_letter_reasons() == {"not_json": 1}
    log = worker.log()
    assert '"level":"debug","logger":"aiokafka' in log, (
        "libraries must speak at DEBUG for this to show anything"
    )
    assert_no_secrets(log, tls, SAID)
    assert_no_secrets("".join(shown), tls, SAID)
    written = b"".join(part or b"" for record in records for part in (record.key, record.value))
    assert_no_secrets(written.decode(errors="replace"), tls)


async def test_it_listens_in_one_place_and_only_to_what_is_documented(worker: WorkerProcess) -> None:
    listening = [
        tuple(connection.laddr)
        for process in (psutil.Process(worker.running.pid), *_children(worker))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", worker.port)]
    for path in documented_paths():
        assert _status(worker, "GET", path) == 200
        assert _status(worker, "HEAD", path) == 200
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert _status(worker, method, path) in {400, 405}, (method, path)
    # what Faust's own web server would show: the app, its tables with the conversations, its statistics
    for path in (
        "/",
        "/stats/",
        "/table/",
        "/table/windows/",
        "/router/",
        "/graph/",
        "/live/",
        "/production/",
    ):
        assert _status(worker, "GET", path) == 404, path


def documented_paths() -> list[str]:
    """The table of docs/security.md."""
    text = (Path(__file__).parents[3] / "docs" / "security.md").read_text()
    paths = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `/")]
    assert paths
    return paths


def _children(worker: WorkerProcess) -> Iterable[psutil.Process]:
    return psutil.Process(worker.running.pid).children(recursive=True)


def _status(worker: WorkerProcess, method: str, path: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_refused_by_everything_it_tells_no_secret(
    tmp_path: Path,
    listeners: SecureListeners,
    locked_triton: EmbeddedTriton,
    tls: Certificates,
    mechanism: str,
) -> None:
    """A wrong password for Kafka and a stranger's certificate for Triton."""
    wrong_password, wrong_key = "wrong-Kafka-77d1", "wrong-Triton-02ae"
    settings = _settings(
        tmp_path,
        listeners,
        locked_triton,
        tls,
        security_sasl_mechanism=mechanism,
        triton_tls_cert_file=tls.stranger.certificate,
        triton_tls_key_file=tls.stranger.key,
    )
    secrets = {"SEKISHO_SECURITY_PASSWORD": wrong_password, "SEKISHO_TRITON_ADMIN_KEY": wrong_key}
    worker = WorkerProcess(settings, **secrets)
    worker.start()
    try:
        deadline = time.monotonic() + 300
        while "waiting for Kafka" not in worker.log():
            assert worker.running.poll() is None, worker.log()[-3000:]
            assert time.monotonic() < deadline, worker.log()[-3000:]
            await asyncio.sleep(0.2)
        shown = [worker.get(path)[1] for path in ("/readyz", "/metrics")]
        commands = [
            await asyncio.to_thread(_run, settings, secrets, *command)
            for command in (["settings"], ["settings", "--json"], ["doctor"], ["topics", "describe"])
        ]
        await worker.stop()
    finally:
        worker.kill()
    assert "lets this client in" in commands[2], "doctor must have been refused for this to show anything"
    for text in (worker.log(), *shown, *commands):
        assert_no_secrets(text, tls, wrong_password, wrong_key)


def _run(settings: Settings, secrets: dict[str, str], *command: str) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEKISHO_")},
        **{
            f"SEKISHO_{name.upper()}": str(value)
            for name, value in settings.model_dump(exclude_unset=True).items()
        },
        **secrets,
    }
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    return done.stdout + done.stderr


def test_help_shows_no_value_of_the_environment(monkeypatch: pytest.MonkeyPatch, tls: Certificates) -> None:
    monkeypatch.setenv("SEKISHO_SECURITY_PASSWORD", PASSWORD)
    monkeypatch.setenv("SEKISHO_TRITON_ADMIN_KEY", ADMIN_KEY)
    for arguments in ([], *([name] for name in COMMANDS)):
        result = CliRunner().invoke(main, [*arguments, "--help"])
        assert result.exit_code == 0
        assert "Usage" in result.output
        assert_no_secrets(result.output, tls)
