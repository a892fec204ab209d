"""The audit of the pinned packages, with a vulnerability service of our own that speaks OSV's JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from streams.embedded.process import free_ports

ROOT = Path(__file__).parents[3]
FLAW = {
    "id": "PYSEC-2099-1",
    "modified": "2099-01-01T00:00:00Z",
    "summary": "It breaks",
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Service(ThreadingHTTPServer):
    """Knows one flaw, of `leaky` 1.0."""

    status = 200
    garbage = b""
    asked: list[tuple[str, str]]

    class Handler(BaseHTTPRequestHandler):
        server: Service

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            package = question["package"]["name"], question["version"]
            self.server.asked.append(package)
            answer: dict[str, Any] = {"vulns": [FLAW]} if package == ("leaky", "1.0") else {}
            body = self.server.garbage or json.dumps(answer).encode()
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Silence."""


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service(("127.0.0.1", 0), Service.Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def audit(constraints: Path, port: int, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "setup" / "audit.py"), str(constraints)],
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("SEKISHO_") and not name.lower().endswith("_proxy")
            },
            "SEKISHO_AUDIT_URL": f"http://127.0.0.1:{port}/v1/query",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def pinned(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "constraints.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_nothing_known_passes(service: Service, tmp_path: Path) -> None:
    code, said = audit(pinned(tmp_path, "sound==2.0", "leaky==1.1"), service.server_port)
    assert (code, said) == (0, "audit: 2 packages, no known vulnerability\n")
    assert sorted(service.asked) == [("leaky", "1.1"), ("sound", "2.0")]


def test_a_known_vulnerability_fails_and_says_where_it_is_mended(service: Service, tmp_path: Path) -> None:
    code, said = audit(pinned(tmp_path, "sound==2.0", "leaky==1.0"), service.server_port)
    assert (code, said) == (1, "audit: leaky 1.0: PYSEC-2099-1, fixed in 1.1\n")


@pytest.mark.parametrize(("environment", "expected"), [({}, 0), ({"SEKISHO_AUDIT": "required"}, 1)])
def test_no_service_is_said_and_fails_only_where_the_audit_is_required(
    environment: dict[str, str], expected: int, tmp_path: Path
) -> None:
    code, said = audit(pinned(tmp_path, "sound==2.0"), free_ports(1)[0], **environment)
    assert code == expected
    assert said.startswith("audit: NOT AUDITED: the vulnerability service did not answer: ")
    assert "Connection refused" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("status", "garbage"), [(503, b""), (200, b"<html>log in to the network</html>")])
def test_a_service_that_answers_otherwise_was_not_asked(
    service: Service, tmp_path: Path, status: int, garbage: bytes
) -> None:
    service.status, service.garbage = status, garbage
    code, said = audit(pinned(tmp_path, "leaky==1.0"), service.server_port)
    assert code == 0
    assert said.startswith("audit: NOT AUDITED")
    assert audit(pinned(tmp_path, "leaky==1.0"), service.server_port, SEKISHO_AUDIT="required")[0] == 1


def test_constraints_that_cannot_be_read_fail(service: Service, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.txt", pinned(tmp_path, "sound>=2.0")):
        code, said = audit(path, service.server_port)
        assert code == 1, said
        assert "NOT AUDITED" not in said


def test_every_pinned_package_is_asked_about(service: Service) -> None:
    names = {
        line.split("==")[0].lower().replace("_", "-").replace(".", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.strip()
    }
    code, said = audit(ROOT / "constraints.txt", service.server_port)
    assert code == 0, said
    assert {name for name, _ in service.asked} == names


def test_make_lint_and_the_test_run_share_one_list_of_checks() -> None:
    lint = (ROOT / "deploy" / "setup" / "lint.sh").read_text()
    assert all(check in lint for check in ("ruff", "mypy", "audit.py"))
    assert "lint.sh" in (ROOT / "Makefile").read_text()
    tests = (ROOT / "deploy" / "setup" / "run_tests.sh").read_text()
    assert "lint.sh" in tests
    assert "ruff" not in tests
