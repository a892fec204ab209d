"""A certificate authority for one test run, with a server's and a client's certificate, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM. `server` holds key and chain in one file, as Apache Kafka takes a PEM key store."""

    ca: Path
    server: Path
    client_cert: Path
    client_key: Path


def available() -> bool:
    """Whether openssl is on the PATH."""
    return shutil.which("openssl") is not None


def make(directory: Path) -> Certificates:
    """Make all of them, valid for a day and for 127.0.0.1."""
    directory.mkdir(parents=True, exist_ok=True)
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=sekisho test authority",
        "-keyout", ca_key, "-out", ca,
    )  # fmt: skip
    server_cert, server_key = _signed(directory, "server", ca, ca_key)
    client_cert, client_key = _signed(directory, "client", ca, ca_key)
    server = directory / "server-with-key.pem"
    server.write_text(server_key.read_text() + server_cert.read_text() + ca.read_text())
    return Certificates(ca=ca, server=server, client_cert=client_cert, client_key=client_key)


def _signed(directory: Path, name: str, ca: Path, ca_key: Path) -> tuple[Path, Path]:
    key, request, certificate = (directory / f"{name}.{ending}" for ending in ("key", "csr", "pem"))
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    _openssl(
        "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "1",
        "-extfile", extensions, "-out", certificate,
    )  # fmt: skip
    return certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
