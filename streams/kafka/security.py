"""How to talk to Kafka: the security settings as aiokafka's and as Faust's arguments."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final

from streams.settings import Settings
from streams.tls import TlsFiles, TlsFilesError

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
    _refuse_what_would_be_ignored(settings)
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

    _refuse_what_would_be_ignored(settings)
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
    try:
        return TlsFiles(
            "SEKISHO_SECURITY",
            settings.security_ca_file,
            settings.security_cert_file,
            settings.security_key_file,
        ).context()
    except TlsFilesError as error:
        raise SecuritySettingsError(str(error)) from error


def _refuse_what_would_be_ignored(settings: Settings) -> None:
    """A login or a certificate that the protocol does not use: somebody believes that the connection is safer."""
    login, tls = ("username", "password"), ("ca_file", "cert_file", "key_file")
    unused = (() if settings.security_protocol in _SASL else login) + (
        () if settings.security_protocol in _TLS else tls
    )
    for name in unused:
        if getattr(settings, f"security_{name}") is not None:
            raise SecuritySettingsError(
                f"{_variable(f'security_{name}')} is set, but {_variable('security_protocol')}="
                f"{settings.security_protocol} makes no use of it: take SASL_SSL for a login over TLS, SSL for TLS alone"
            )


def _sasl_login(settings: Settings) -> tuple[str, str]:
    if not settings.security_username or not settings.security_password:
        missing = "security_username" if not settings.security_username else "security_password"
        raise SecuritySettingsError(
            f"{_variable('security_protocol')}={settings.security_protocol} needs a login: "
            f"{_variable(missing)} is not set"
        )
    return settings.security_username, settings.security_password.get_secret_value()


def _variable(field: str) -> str:
    return f"SEKISHO_{field.upper()}"
