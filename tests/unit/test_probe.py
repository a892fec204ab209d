from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from streams.probe import reachable_at, ready
from tests.kafka_server.apache_kafka import free_ports


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/readyz" else 404)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def worker() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False)])
def test_ready_is_what_readyz_says(worker: HTTPServer, status: int, expected: bool) -> None:
    worker.status = status  # type: ignore[attr-defined]

    assert ready("127.0.0.1", worker.server_port) is expected


def test_nobody_there_is_not_ready() -> None:
    assert not ready("127.0.0.1", free_ports(1)[0])


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_exit_code_follows(worker: HTTPServer, status: int, code: int) -> None:
    worker.status = status  # type: ignore[attr-defined]
    environment = {**os.environ, "SEKISHO_WEB_PORT": str(worker.server_port), "SEKISHO_WEB_BIND": "0.0.0.0"}

    assert (
        subprocess.run([sys.executable, "-m", "streams.probe"], env=environment, check=False).returncode
        == code
    )


def test_a_server_on_every_address_is_asked_on_loopback() -> None:
    assert [reachable_at(bind) for bind in ("0.0.0.0", "::", "10.0.0.7")] == ["127.0.0.1", "::1", "10.0.0.7"]
