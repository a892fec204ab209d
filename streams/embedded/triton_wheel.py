"""Finds the tritonserver binary in the nvidia-pytriton wheel and says what is missing before it fails obscurely."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import streams
from streams.embedded import onnxruntime_backend
from streams.embedded.process import EmbeddedServerError

#: Python versions that nvidia-pytriton 0.7.0 has a stub for.
_STUB_VERSIONS = "3.8 to 3.13"
#: The wheel is built for manylinux_2_35: Debian 12, Ubuntu 22.04 and later.
_LEAST_GLIBC = (2, 35)


@dataclass(frozen=True, slots=True)
class TritonWheel:
    """Where the parts of the installed wheel are."""

    server: Path
    python_backend: Path
    stub: Path
    libraries: Path

    @classmethod
    def find(cls) -> TritonWheel:
        """Locate and check the wheel. Raises EmbeddedServerError that names what to install."""
        # find_spec does not import pytriton, whose own dependencies are not installed.
        spec = util.find_spec("pytriton")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedServerError(
                "the embedded Triton is not installed: pip install --no-deps nvidia-pytriton==0.7.0 "
                "(its own dependencies are not needed), or point SEKISHO_TRITON at a running server"
            )
        root = Path(spec.submodule_search_locations[0])
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        wheel = cls(
            server=root / "tritonserver" / "bin" / "tritonserver",
            python_backend=root / "tritonserver" / "backends" / "python",
            stub=root / "tritonserver" / "python_backend_stubs" / python / "triton_python_backend_stub",
            libraries=root.parent / "nvidia_pytriton.libs",
        )
        wheel.check()
        return wheel

    def check(self) -> None:
        """Raises EmbeddedServerError when the binary cannot run models under this Python."""
        if not self.stub.exists():
            raise EmbeddedServerError(
                f"nvidia-pytriton has no Triton stub for Python {sys.version_info[0]}.{sys.version_info[1]} "
                f"(it has {_STUB_VERSIONS}): make the virtual environment with one of those"
            )
        if util.find_spec("onnxruntime") is None:
            raise EmbeddedServerError(
                "onnxruntime is not installed, which runs the models: pip install 'sekisho[embedded]'"
            )
        ldd = shutil.which("ldd")
        if ldd is None:
            return  # nothing to ask; the server's own log will tell
        listing = subprocess.run(
            [ldd, str(self.stub)], env=self.environment(), capture_output=True, text=True, check=False
        )
        if problem := missing_library_message(listing.stdout + listing.stderr, platform.libc_ver()):
            raise EmbeddedServerError(problem)

    def environment(self) -> dict[str, str]:
        """The environment tritonserver and its stubs need: libraries, this Python's packages, one thread each."""
        packages = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        # The backend imports streams.embedded; in an editable install that is not in site-packages.
        source = str(Path(next(iter(streams.__path__))).parent)
        # A copied stub no longer finds libraries by its RPATH, and a Python built by pyenv keeps libpython to itself.
        libraries = (self.libraries, sysconfig.get_config_var("LIBDIR"), Path(sys.base_prefix) / "lib")
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((*packages, source)),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
            "LD_LIBRARY_PATH": os.pathsep.join(str(path) for path in libraries if path),
            "OMP_NUM_THREADS": "1",
            # The repository may be read-only, and the stub runs from a directory that is made anew.
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def make_backends(self, directory: Path) -> Path:
        """Lay out a backend directory: the wheel's `python` and our `onnxruntime` on top of it.

        The files are copied each time, so that an upgraded package is never served by an old stub.
        """
        python = directory / "python"
        python.mkdir(parents=True, exist_ok=True)
        names = ("libtriton_python.so", "triton_python_backend_utils.py")
        for source in (*(self.python_backend / name for name in names), self.stub):
            target = python / source.name
            target.unlink(missing_ok=True)  # a running server's file cannot be written over
            shutil.copyfile(source, target)
        (python / self.stub.name).chmod(0o755)
        ours = directory / "onnxruntime"
        ours.mkdir(exist_ok=True)
        shutil.copyfile(Path(next(iter(onnxruntime_backend.__path__))) / "model.py", ours / "model.py")
        return directory


def missing_library_message(ldd_output: str, libc: tuple[str, str]) -> str | None:
    """What to tell the reader about ldd's "not found" lines; None when there are none.

    `libc` as `platform.libc_ver()` gives it.
    """
    missing = sorted(set(re.findall(r"(\S+) => not found", ldd_output)))
    if python := next((name for name in missing if name.startswith("libpython")), None):
        found = re.match(r"libpython(\d+\.\d+)", python)
        version = found[1] if found else "3"
        return (
            f"Triton's Python stub needs {python}, which this Python does not bring: "
            f"apt-get install libpython{version} (a Python built by pyenv: build it with --enable-shared)"
        )
    name, version = libc
    if (name == "glibc" and _numbers(version) < _LEAST_GLIBC) or "GLIBC_2.35' not found" in ldd_output:
        return (
            f"the embedded Triton needs glibc 2.35 or later (Debian 12, Ubuntu 22.04), this system has {version}: "
            "point SEKISHO_TRITON at a Triton that runs elsewhere"
        )
    if missing:
        return f"Triton's Python stub misses shared libraries: {', '.join(missing)}; install their packages"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
