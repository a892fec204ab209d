"""How to talk to Kafka: the security settings as aiokafka's and as Faust's arguments."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from streams.settings import Settings

if TYPE_CHECKING:
    import faust

_TLS: Final = frozenset({"SSL", "SASL_SSL"})
_SASL: Final = frozenset({"SASL_PLAINTEXT", "SASL_SSL"})


class SecuritySettingsError(ValueError):
    """Security settings that cannot work together, or a certificate file that cannot be used."""


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that every aiokafka client takes: servers, protocol, TLS context, SASL.

    Raises `SecuritySettingsError` naming the variable to correct.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in settings.broker.split(",") if server.strip()],
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol in _TLS:
        options["ssl_context"] = tls_context(settings)
    if settings.security_protocol in _SASL:
        username, password = _sasl_login(settings)
        options |= {
            "sasl_mechanism": settings.security_sasl_mechanism,
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }
    return options


def faust_credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """What `faust.App(broker_credentials=…)` takes, None for PLAINTEXT.

    Raises `SecuritySettingsError` as `client_options` does.
    """
    import faust  # half a second: commands that only talk to Kafka do without

    context = tls_context(settings) if settings.security_protocol in _TLS else None
    if settings.security_protocol in _SASL:
        username, password = _sasl_login(settings)
        return faust.SASLCredentials(
            username=username,
            password=password,
            mechanism=settings.security_sasl_mechanism,
            ssl_context=context,
        )
    if context is not None:
        return faust.SSLCredentials(context)
    return None


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A verifying TLS context: the CA file if one is set, else the system's, and the client certificate if set.

    Raises `SecuritySettingsError` for a certificate without its key, a missing file, or one that is not PEM.
    """
    ca_file, cert_file, key_file = (
        settings.security_ca_file,
        settings.security_cert_file,
        settings.security_key_file,
    )
    for field, path in (
        ("security_ca_file", ca_file),
        ("security_cert_file", cert_file),
        ("security_key_file", key_file),
    ):
        _require_file(field, path)
    if (cert_file is None) != (key_file is None):
        missing = "security_key_file" if key_file is None else "security_cert_file"
        raise SecuritySettingsError(
            f"mutual TLS needs the client's certificate and its key: {_variable(missing)} is not set"
        )
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
    except ssl.SSLError as error:
        raise SecuritySettingsError(
            f"{_variable('security_ca_file')}: {ca_file} holds no usable PEM certificate ({error.reason})"
        ) from error
    if cert_file is not None:
        try:
            context.load_cert_chain(cert_file, key_file)
        except ssl.SSLError as error:
            raise SecuritySettingsError(
                f"{_variable('security_cert_file')} and {_variable('security_key_file')}: "
                f"{cert_file} and {key_file} are not a certificate and its unencrypted key in PEM ({error.reason})"
            ) from error
    return context


def _sasl_login(settings: Settings) -> tuple[str, str]:
    if not settings.security_username or settings.security_password is None:
        missing = "security_username" if not settings.security_username else "security_password"
        raise SecuritySettingsError(
            f"{_variable('security_protocol')}={settings.security_protocol} needs a login: "
            f"{_variable(missing)} is not set"
        )
    return settings.security_username, settings.security_password.get_secret_value()


def _require_file(field: str, path: Path | None) -> None:
    if path is not None and not path.is_file():
        raise SecuritySettingsError(f"{_variable(field)} names {path}, which is not a file")


def _variable(field: str) -> str:
    return f"SEKISHO_{field.upper()}"
