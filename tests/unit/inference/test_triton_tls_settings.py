from __future__ import annotations

from pathlib import Path

import pytest

from streams.inference.triton import TritonClient
from streams.settings import Settings
from tests.kafka_server import certificates


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    if not certificates.available():
        pytest.skip("openssl is not on the PATH")
    return certificates.make(tmp_path_factory.mktemp("tls"))


def test_a_client_certificate_without_tls_is_refused(tls: certificates.Certificates) -> None:
    """It would be ignored, and the admin key sent in the clear."""
    settings = Settings(triton_tls_cert_file=tls.client.certificate, triton_tls_key_file=tls.client.key)
    with pytest.raises(ValueError, match="SEKISHO_TRITON_TLS_CA_FILE, which turns TLS on"):
        TritonClient.from_settings(settings)


def test_a_certificate_without_its_key_is_refused(tls: certificates.Certificates) -> None:
    settings = Settings(
        triton_tls_ca_file=tls.authority.certificate, triton_tls_cert_file=tls.client.certificate
    )
    with pytest.raises(ValueError, match="SEKISHO_TRITON_TLS_KEY_FILE is not set"):
        TritonClient.from_settings(settings)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ValueError, match=r"SEKISHO_TRITON_TLS_CA_FILE: .* no usable PEM certificate"):
        TritonClient.from_settings(Settings(triton_tls_ca_file=tmp_path / "ca.pem"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SEKISHO_TRITON_TLS_CA_FILE names .*, which is not a file"):
        TritonClient.from_settings(Settings(triton_tls_ca_file=tmp_path / "none.pem"))
