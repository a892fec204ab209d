"""Servers that let only the right client in: Apache Kafka with SASL and TLS, Triton with mutual TLS and an admin key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.embedded.triton import EmbeddedTriton
from tests.integration.conftest import apache_kafka
from tests.integration.tiny_models import message_sum, put_model
from tests.kafka_server import certificates
from tests.kafka_server.apache_kafka import SecureListeners, free_ports
from tests.kafka_server.certificates import Certificates

#: Unmistakable, so that they can be looked for in everything that is written.
USERNAME, PASSWORD = "sekisho", "kafka-Passw0rt-6b1f"
ADMIN_KEY = "triton-Admin-9c27"
MODEL = "message_off_platform_payment"


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One authority for both servers, and one that nobody trusts."""
    if not certificates.available():
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail("openssl is not on the PATH")
        pytest.skip("openssl is not on the PATH")
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def listeners(tls: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureListeners]:
    """Apache Kafka, by its secured ports."""
    secure = SecureListeners(*free_ports(4), username=USERNAME, password=PASSWORD, certificates=tls)
    server = apache_kafka(tmp_path_factory.mktemp("secure-kafka"), secure=secure)
    try:
        server.start()
        yield secure
    finally:
        server.stop()


def _triton(directory: Path, *arguments: str) -> EmbeddedTriton:
    put_model(directory / "repository", MODEL, {1: message_sum(MODEL, 0.001)})
    return EmbeddedTriton(directory / "repository", directory / "data", extra_arguments=arguments)


@pytest.fixture(scope="session")
def locked_triton(tls: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """Triton that wants a certificate of every client, and the key for what changes models."""
    server = _triton(
        tmp_path_factory.mktemp("locked-triton"),
        "--grpc-use-ssl=1",
        "--grpc-use-ssl-mutual=1",
        f"--grpc-root-cert={tls.authority.certificate}",
        f"--grpc-server-cert={tls.server.certificate}",
        f"--grpc-server-key={tls.server.key}",
        f"--grpc-restricted-protocol=model-repository,shared-memory,logging,trace:admin={ADMIN_KEY}",
    )
    with server:
        yield server


@pytest.fixture(scope="session")
def misnamed_triton(tls: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """Triton with a certificate of our authority for another host."""
    server = _triton(
        tmp_path_factory.mktemp("misnamed-triton"),
        "--grpc-use-ssl=1",
        f"--grpc-server-cert={tls.misnamed.certificate}",
        f"--grpc-server-key={tls.misnamed.key}",
    )
    with server:
        yield server


@pytest.fixture(scope="session")
def wary_triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """Triton that wants the key for scoring too, so that it tells whether a client sends it there."""
    server = _triton(
        tmp_path_factory.mktemp("wary-triton"),
        f"--grpc-restricted-protocol=inference,health,statistics,model-repository:admin={ADMIN_KEY}",
    )
    with server:
        yield server
