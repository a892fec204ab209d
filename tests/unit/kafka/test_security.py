from __future__ import annotations

import ssl
from pathlib import Path

import faust
import pytest
from pydantic import SecretStr

from streams.kafka.security import SecuritySettingsError, client_options, faust_credentials
from streams.settings import Settings
from tests.kafka_server import certificates

needs_openssl = pytest.mark.skipif(not certificates.available(), reason="openssl is not on the PATH")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    return certificates.make(tmp_path_factory.mktemp("tls"))


def test_plaintext_needs_nothing() -> None:
    settings = Settings(broker="a:1, b:2,")

    assert client_options(settings) == {"bootstrap_servers": ["a:1", "b:2"], "security_protocol": "PLAINTEXT"}
    assert faust_credentials(settings) is None


def test_scram_without_tls() -> None:
    settings = Settings(
        security_protocol="SASL_PLAINTEXT",
        security_sasl_mechanism="SCRAM-SHA-256",
        security_username="u",
        security_password=SecretStr("p"),
    )

    options = client_options(settings)
    credentials = faust_credentials(settings)

    assert (options["sasl_mechanism"], options["sasl_plain_username"], options["sasl_plain_password"]) == (
        "SCRAM-SHA-256",
        "u",
        "p",
    )
    assert "ssl_context" not in options
    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.mechanism.value, credentials.protocol.value) == ("SCRAM-SHA-256", "SASL_PLAINTEXT")


@needs_openssl
def test_sasl_over_tls_verifies_the_broker(tls: certificates.Certificates) -> None:
    settings = Settings(
        security_protocol="SASL_SSL",
        security_username="u",
        security_password=SecretStr("p"),
        security_ca_file=tls.ca,
    )

    context = client_options(settings)["ssl_context"]
    credentials = faust_credentials(settings)

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"


@needs_openssl
def test_tls_alone_gives_faust_the_context(tls: certificates.Certificates) -> None:
    settings = Settings(
        security_protocol="SSL",
        security_ca_file=tls.ca,
        security_cert_file=tls.client_cert,
        security_key_file=tls.client_key,
    )

    credentials = faust_credentials(settings)

    assert isinstance(credentials, faust.SSLCredentials)
    assert isinstance(client_options(settings)["ssl_context"], ssl.SSLContext)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"security_password": SecretStr("p")}, "SEKISHO_SECURITY_USERNAME"),
        ({"security_username": "u"}, "SEKISHO_SECURITY_PASSWORD"),
    ],
)
def test_sasl_without_a_login_names_the_variable(given: dict[str, object], missing: str) -> None:
    settings = Settings(security_protocol="SASL_PLAINTEXT", **given)  # type: ignore[arg-type]

    with pytest.raises(SecuritySettingsError, match=f"{missing} is not set"):
        client_options(settings)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    settings = Settings(security_protocol="SSL", security_ca_file=tmp_path / "none.pem")

    with pytest.raises(
        SecuritySettingsError, match=r"SEKISHO_SECURITY_CA_FILE names .*none.pem, which is not a file"
    ):
        client_options(settings)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    settings = Settings(security_protocol="SSL", security_ca_file=tmp_path / "ca.pem")

    with pytest.raises(
        SecuritySettingsError, match=r"SEKISHO_SECURITY_CA_FILE: .* no usable PEM certificate"
    ):
        client_options(settings)


@needs_openssl
def test_a_certificate_without_its_key(tls: certificates.Certificates) -> None:
    settings = Settings(security_protocol="SSL", security_cert_file=tls.client_cert)

    with pytest.raises(SecuritySettingsError, match="SEKISHO_SECURITY_KEY_FILE is not set"):
        client_options(settings)


@needs_openssl
def test_a_key_of_another_certificate(tls: certificates.Certificates) -> None:
    settings = Settings(
        security_protocol="SSL",
        security_cert_file=tls.client_cert,
        security_key_file=tls.ca.with_suffix(".key"),
    )

    with pytest.raises(SecuritySettingsError, match="are not a certificate and its unencrypted key"):
        client_options(settings)
