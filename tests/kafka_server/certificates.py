"""Certificate authorities for one test run, and what they sign, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: What an encrypted key in these tests is locked with.
KEY_PASSWORD = "open-the-key"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority; what it signs lies beside its own files."""

    certificate: Path
    key: Path

    def sign(self, name: str, subject: str = "IP:127.0.0.1") -> Signed:
        """A new key and a certificate for a day, for that subject (`IP:…` or `DNS:…`)."""
        key, request, certificate, extensions = (
            self.certificate.with_name(f"{name}.{ending}") for ending in ("key", "csr", "pem", "extensions")
        )
        extensions.write_text(f"subjectAltName={subject}\n")
        _openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request
        )
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "1", "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        return Signed(certificate, key, self)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key, in PEM."""

    certificate: Path
    key: Path
    authority: Authority

    def store(self) -> Path:
        """Key and chain in one file, as Apache Kafka takes a PEM key store."""
        store = self.certificate.with_name(f"{self.certificate.stem}-store.pem")
        store.write_text(
            self.key.read_text() + self.certificate.read_text() + self.authority.certificate.read_text()
        )
        return store

    def locked_key(self) -> Path:
        """The key, encrypted with `KEY_PASSWORD`."""
        locked = self.key.with_name(f"{self.key.stem}-locked.key")
        _openssl("rsa", "-aes256", "-in", self.key, "-passout", f"pass:{KEY_PASSWORD}", "-out", locked)
        return locked


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server and its clients show, and what must not be taken for it."""

    authority: Authority
    server: Signed
    #: Of the same authority, for another host.
    misnamed: Signed
    client: Signed
    #: Of an authority that nobody here trusts.
    stranger: Signed


def available() -> bool:
    """Whether openssl is on the PATH."""
    return shutil.which("openssl") is not None


def make(directory: Path) -> Certificates:
    """Make all of them, valid for a day, the server's for 127.0.0.1."""
    ours, theirs = authority(directory), authority(directory / "theirs")
    return Certificates(
        authority=ours,
        server=ours.sign("server"),
        misnamed=ours.sign("misnamed", "DNS:elsewhere.example"),
        client=ours.sign("client"),
        stranger=theirs.sign("client"),
    )


def authority(directory: Path) -> Authority:
    """Make an authority in that directory."""
    directory.mkdir(parents=True, exist_ok=True)
    certificate, key = directory / "ca.pem", directory / "ca.key"
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN=authority in {directory.name}",
        "-keyout", key, "-out", certificate,
    )  # fmt: skip
    return Authority(certificate, key)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
