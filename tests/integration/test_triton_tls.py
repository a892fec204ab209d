"""Mutual TLS between the client and a real server, with certificates made for the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from streams.inference.failures import InferenceFailed
from streams.inference.triton import TritonClient
from streams.settings import Settings
from tests.integration.tiny_models import message_inputs, message_sum

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command"),
]


def certificate(directory: Path, name: str, issuer: Path | None = None) -> Path:
    """A key and a certificate of that name, self-signed or signed by `issuer`; gives the certificate's path."""
    key, cert = directory / f"{name}.key", directory / f"{name}.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(cert),
    ]  # fmt: skip
    if issuer is not None:
        command += [
            "-CA", str(issuer), "-CAkey", str(issuer.with_suffix(".key")),
            "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
        ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return cert


@pytest.fixture
def settings(repository, start_triton, tmp_path: Path) -> Settings:
    ca = certificate(tmp_path, "ca")
    server, client = certificate(tmp_path, "server", ca), certificate(tmp_path, "client", ca)
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    triton = start_triton(
        repository,
        extra_arguments=[
            "--grpc-use-ssl=1", "--grpc-use-ssl-mutual=1", f"--grpc-root-cert={ca}",
            f"--grpc-server-cert={server}", f"--grpc-server-key={server.with_suffix('.key')}",
        ],
    )  # fmt: skip
    return Settings(
        triton=triton.grpc_address,
        triton_timeout_s=5,
        triton_tls_ca_file=ca,
        triton_tls_cert_file=client,
        triton_tls_key_file=client.with_suffix(".key"),
    )


async def test_both_sides_show_their_certificates(settings: Settings):
    async with TritonClient.from_settings(settings) as client:
        answer = await client.infer("message_sum", 1, message_inputs([1000]), ["score"])
    assert answer["score"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "without",
    [
        {"triton_tls_cert_file": None, "triton_tls_key_file": None},
        {"triton_tls_ca_file": None, "triton_tls_cert_file": None, "triton_tls_key_file": None},
    ],
    ids=["no client certificate", "no TLS"],
)
async def test_a_client_without_certificate_gets_no_answer(settings: Settings, without):
    async with TritonClient.from_settings(settings.model_copy(update=without)) as client:
        with pytest.raises(InferenceFailed) as caught:
            await client.infer("message_sum", 1, message_inputs([1000]), ["score"])
    assert caught.value.reason == "unavailable"
