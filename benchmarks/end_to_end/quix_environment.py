"""The Python that Quix Streams runs in: it wants an older pydantic than Sekisho, so it cannot be installed beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("quix-requirements.txt")


class QuixUnavailableError(RuntimeError):
    """Quix Streams cannot be installed here; the message says why."""


def quix_python() -> Path:
    """The interpreter, made once: `SEKISHO_QUIX_HOME`, or a cache directory of the user's.

    Its own packages come first, and all others are those of the environment that this runs in.
    """
    home = Path(os.environ.get("SEKISHO_QUIX_HOME") or Path.home() / ".cache" / "sekisho" / "quix")
    packages = sysconfig.get_path("purelib")
    mark = sha256(REQUIREMENTS.read_bytes() + packages.encode()).hexdigest()[:12]
    made = home / mark
    if (made / "bin" / "python").exists():
        return made / "bin" / "python"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as part:
        # A virtual environment may be moved as long as only its python is used.
        venv.create(part, with_pip=False, symlinks=True)
        python = Path(part) / "bin" / "python"
        installed = subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "-r", str(REQUIREMENTS)],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode != 0:
            raise QuixUnavailableError(f"installing {REQUIREMENTS.name} failed:\n{installed.stderr[-1500:]}")
        own = next(Path(part).glob("lib/python*/site-packages"))
        (own / "sekisho.pth").write_text(f"{packages}\n")
        with suppress(OSError):  # another run was faster
            Path(part).rename(made)
            Path(part).mkdir()  # for the temporary directory's end
    return made / "bin" / "python"


def quix_version() -> str:
    """The pinned version."""
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith("quixstreams=="))
