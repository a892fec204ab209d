from __future__ import annotations

import ssl
import subprocess
import sys
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
        security_ca_file=tls.authority.certificate,
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
        security_ca_file=tls.authority.certificate,
        security_cert_file=tls.client.certificate,
        security_key_file=tls.client.key,
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
    settings = Settings(security_protocol="SSL", security_cert_file=tls.client.certificate)

    with pytest.raises(SecuritySettingsError, match="SEKISHO_SECURITY_KEY_FILE is not set"):
        client_options(settings)


@needs_openssl
def test_a_key_of_another_certificate(tls: certificates.Certificates) -> None:
    settings = Settings(
        security_protocol="SSL",
        security_cert_file=tls.client.certificate,
        security_key_file=tls.authority.key,
    )

    with pytest.raises(SecuritySettingsError, match="are not a certificate and its unencrypted key"):
        client_options(settings)


@needs_openssl
def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(
    tls: certificates.Certificates,
) -> None:
    """OpenSSL asks the terminal, or standard input where there is none; here the right answer is waiting there."""
    program = (
        "import sys; from streams.settings import Settings; from streams.kafka.security import tls_context; "
        "tls_context(Settings(security_cert_file=sys.argv[1], security_key_file=sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tls.client.certificate), str(tls.client.locked_key())],
        input=f"{certificates.KEY_PASSWORD}\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "SecuritySettingsError: SEKISHO_SECURITY_CERT_FILE and SEKISHO_SECURITY_KEY_FILE" in done.stderr
    assert "pass phrase" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("protocol", "given"),
    [
        ("PLAINTEXT", {"security_password": SecretStr("hunter2")}),
        ("PLAINTEXT", {"security_username": "u"}),
        ("PLAINTEXT", {"security_ca_file": Path("ca.pem")}),
        ("SSL", {"security_password": SecretStr("hunter2")}),
        ("SASL_PLAINTEXT", {"security_cert_file": Path("client.pem")}),
    ],
)
@pytest.mark.parametrize("read_by", [client_options, faust_credentials])
def test_what_the_protocol_would_ignore_is_refused(protocol: str, given: dict[str, object], read_by) -> None:
    """Whoever sets a password believes that the connection is protected."""
    (name,) = given
    settings = Settings(security_protocol=protocol, **given)  # type: ignore[arg-type]

    with pytest.raises(
        SecuritySettingsError, match=f"SEKISHO_{name.upper()} is set, but SEKISHO_SECURITY_PROTOCOL"
    ) as refused:
        read_by(settings)
    assert "hunter2" not in str(refused.value)
