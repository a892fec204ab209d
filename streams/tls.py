"""PEM files as a verifying TLS context, or a sentence that names the setting to correct."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


class TlsFilesError(ValueError):
    """A certificate or key file that cannot be used, or one without the other."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of one connection, and what their settings begin with (`SEKISHO_SECURITY`, `SEKISHO_TRITON_TLS`)."""

    variable: str
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer that verifies the server and its host name, with the client's certificate if there is one.

        Without a CA file the system's authorities are trusted. Raises `TlsFilesError`.
        """
        for kind, path in (("CA", self.ca_file), ("CERT", self.cert_file), ("KEY", self.key_file)):
            if path is not None and not path.is_file():
                raise TlsFilesError(f"{self.variable}_{kind}_FILE names {path}, which is not a file")
        if (self.cert_file is None) != (self.key_file is None):
            missing = "KEY" if self.key_file is None else "CERT"
            raise TlsFilesError(
                f"mutual TLS needs the client's certificate and its key: {self.variable}_{missing}_FILE is not set"
            )
        try:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.ca_file)
        except ssl.SSLError as error:
            raise TlsFilesError(
                f"{self.variable}_CA_FILE: {self.ca_file} holds no usable PEM certificate ({error.reason})"
            ) from error
        except OSError as error:
            raise TlsFilesError(
                f"{self.variable}_CA_FILE: {self.ca_file} cannot be read ({error.strerror})"
            ) from error
        if self.cert_file is not None:
            self._show_certificate(context)
        return context

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        assert self.cert_file is not None
        named = (
            f"{self.variable}_CERT_FILE and {self.variable}_KEY_FILE: {self.cert_file} and {self.key_file}"
        )
        try:
            # OpenSSL would ask the terminal for the password of an encrypted key, and a service has none.
            context.load_cert_chain(self.cert_file, self.key_file, password=lambda: b"")
        except ssl.SSLError as error:
            raise TlsFilesError(
                f"{named} are not a certificate and its unencrypted key in PEM ({error.reason})"
            ) from error
        except OSError as error:
            raise TlsFilesError(f"{named} cannot be read ({error.strerror})") from error
