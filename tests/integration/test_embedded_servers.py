"""The embedded servers themselves: start, death, restart, `sekisho up`, and what they say when they cannot."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.embedded.broker import EmbeddedBroker
from streams.embedded.process import EmbeddedServerError
from streams.embedded.servers import embedded_servers
from streams.embedded.triton import EmbeddedTriton, TritonPorts
from tests.integration.tiny_models import Repository, client_of, message_inputs, message_sum

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded


async def round_trip(broker: EmbeddedBroker) -> bytes:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        await producer.send_and_wait("messages", b"hello")
    consumer = AIOKafkaConsumer(
        "messages", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", group_id=None
    )
    async with consumer:
        return (await consumer.getone()).value


@pytest.mark.parametrize("kind", ["tansu", "noida"])
async def test_a_broker_takes_and_gives_a_record(kind, tmp_path: Path):
    with EmbeddedBroker(kind, data_dir=tmp_path) as broker:
        assert broker.running
        assert await round_trip(broker) == b"hello"
        pid = broker.pid
    assert not broker.running
    assert not psutil.pid_exists(pid)


async def test_noida_keeps_its_data_over_a_restart(tmp_path: Path):
    with EmbeddedBroker("noida", data_dir=tmp_path) as broker:
        await round_trip(broker)
    with EmbeddedBroker("noida", data_dir=tmp_path) as broker:
        consumer = AIOKafkaConsumer(
            "messages", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
        )
        async with consumer:
            assert (await consumer.getone()).value == b"hello"


def test_a_taken_port_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedServerError, match=f"port {port} of 127.0.0.1 is in use"):
            EmbeddedBroker("tansu", port, tmp_path).start()


def test_a_killed_broker_is_told_apart_from_a_stopped_one(tmp_path: Path):
    broker = EmbeddedBroker("tansu", data_dir=tmp_path).start()
    broker.kill()
    assert "was ended by SIGKILL" in str(broker.died())


def test_a_taken_triton_port_ends_with_tritons_own_words(repository: Repository, tmp_path: Path):
    repository.put("message_sum", {1: message_sum("message_sum", 1.0)})
    free = TritonPorts.free()
    with socket.create_server(("127.0.0.1", free.grpc)):
        server = EmbeddedTriton(repository.path, tmp_path, ports=free).start()
        try:
            with pytest.raises(EmbeddedServerError, match=f"(?s)ended with status.*{free.grpc}"):
                server.wait_ready()
        finally:
            server.kill()


def test_a_repository_that_is_not_there(tmp_path: Path):
    with pytest.raises(EmbeddedServerError, match="is not a directory"):
        EmbeddedTriton(tmp_path / "none", tmp_path).start()


async def test_one_bad_model_does_not_keep_the_others_from_serving(repository: Repository, tmp_path: Path):
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    repository.put("message_bad", {1: b"no model"})
    with EmbeddedTriton(repository.path, tmp_path) as server:
        [(model, reason)] = server.unready().items()
        assert model == "message_bad"
        assert "model.onnx" in reason
        async with client_of(server) as client:
            await client.infer("message_sum", 1, message_inputs([1]), ["score"])


def test_a_bad_model_that_was_asked_for_is_an_error(repository: Repository, tmp_path: Path):
    repository.put("message_bad", {1: b"no model"})
    with pytest.raises(EmbeddedServerError, match="model message_bad is not served"):
        with EmbeddedTriton(repository.path, tmp_path, models=["message_bad"]):
            pass


def test_only_the_models_asked_for_are_loaded(repository: Repository, tmp_path: Path):
    for model in ("message_a", "message_b"):
        repository.put(model, {1: message_sum(model, 1.0)})
    server = EmbeddedTriton(repository.path, tmp_path, models=["message_b"]).start()
    try:
        server.wait_ready()
        assert len(psutil.Process(server.pid).children()) == 1  # one stub
    finally:
        server.kill()


async def test_a_dead_triton_is_tended(repository: Repository, tmp_path: Path):
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    with embedded_servers(data_dir=tmp_path, repository=repository.path) as servers:
        assert servers.tend() == []
        assert set(servers.environment()) == {"SEKISHO_BROKER", "SEKISHO_TRITON"}
        os.killpg(servers.triton.pid, signal.SIGKILL)
        _until(lambda: not servers.triton.running)
        [sentence] = servers.tend()
        assert sentence.startswith("the embedded Triton was ended by SIGKILL; its log, ")
        async with client_of(servers.triton) as client:
            await client.infer("message_sum", 1, message_inputs([1]), ["score"])
        servers.broker.kill()
        with pytest.raises(EmbeddedServerError, match="the embedded broker"):
            servers.tend()


class Up:
    """`sekisho up` as its own process."""

    def __init__(self, repository: Path, data_dir: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "streams.cli", "up", "--repository", str(repository), "--broker-port", "0",
                "--triton-port", "0", "--triton-http-port", "0", "--triton-metrics-port", "0", *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SEKISHO_DATA_DIR": str(data_dir)},
        )  # fmt: skip

    def exports(self) -> dict[str, str]:
        lines = [self.process.stdout.readline(), self.process.stdout.readline()]
        assert all(line.startswith("export ") for line in lines), self.process.communicate()
        return dict(line.removeprefix("export ").rstrip().split("=", 1) for line in lines)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_up_prints_what_to_export_and_leaves_nothing_behind(repository: Repository, tmp_path: Path, end):
    repository.put("message_sum", {1: message_sum("message_sum", 1.0)})
    up = Up(repository.path, tmp_path)
    exports = up.exports()
    for address in exports.values():
        host, port = address.split(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    family = psutil.Process(up.process.pid).children(recursive=True)
    up.process.send_signal(end)
    _, status = up.process.communicate(timeout=30)
    assert up.process.returncode == 0
    assert "broker (tansu) on" in status
    assert status.rstrip().endswith("stopped")
    _until(lambda: not any(alive(p) for p in family))


def test_up_killed_takes_its_servers_with_it(repository: Repository, tmp_path: Path):
    repository.put("message_sum", {1: message_sum("message_sum", 1.0)})
    up = Up(repository.path, tmp_path)
    up.exports()
    family = psutil.Process(up.process.pid).children(recursive=True)
    assert len(family) >= 3  # broker, Triton, stub
    up.process.kill()
    up.process.communicate()
    _until(lambda: not any(alive(p) for p in family))


def test_up_says_why_it_cannot_start(tmp_path: Path):
    up = Up(tmp_path / "none", tmp_path)
    _, status = up.process.communicate(timeout=30)
    assert up.process.returncode == 1
    assert "Error: the model repository" in status
    assert "Traceback" not in status


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(condition, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
