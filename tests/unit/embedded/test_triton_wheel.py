from __future__ import annotations

from pathlib import Path

import pytest

from streams.embedded.process import EmbeddedServerError
from streams.embedded.triton_wheel import TritonWheel, missing_library_message

DEBIAN_12 = ("glibc", "2.36")
LDD_GOOD = (
    "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibpython3.11.so.1.0 => /usr/lib/libpython3.11.so.1.0 (0x00007f)\n"
)
LDD_NO_PYTHON = "\tlibpython3.11.so.1.0 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f)\n"


def test_nothing_missing_is_nothing_said():
    assert missing_library_message(LDD_GOOD, DEBIAN_12) is None


def test_debians_python_without_its_library_names_the_package():
    message = missing_library_message(LDD_NO_PYTHON, DEBIAN_12)
    assert message == (
        "Triton's Python stub needs libpython3.11.so.1.0, which this Python does not bring: "
        "apt-get install libpython3.11 (a Python built by pyenv: build it with --enable-shared)"
    )


@pytest.mark.parametrize(
    ("ldd", "libc"),
    [
        (LDD_GOOD, ("glibc", "2.31")),
        ("stub: /lib/libc.so.6: version `GLIBC_2.35' not found (required by stub)", DEBIAN_12),
    ],
)
def test_an_old_glibc_is_named(ldd, libc):
    assert "needs glibc 2.35 or later" in missing_library_message(ldd, libc)


def test_other_libraries_are_named():
    message = missing_library_message("\tliba.so.1 => not found\n\tlibb.so.2 => not found\n", DEBIAN_12)
    assert (
        message
        == "Triton's Python stub misses shared libraries: liba.so.1, libb.so.2; install their packages"
    )


@pytest.mark.embedded
def test_a_python_without_a_stub_is_told(tmp_path: Path):
    found = TritonWheel.find()
    with pytest.raises(EmbeddedServerError, match=r"has no Triton stub for Python .* \(it has 3.8 to 3.13\)"):
        TritonWheel(found.server, found.python_backend, tmp_path / "3.14" / "stub", found.libraries).check()


@pytest.mark.embedded
def test_the_backend_directory_replaces_what_an_older_release_left(tmp_path: Path):
    old = tmp_path / "onnxruntime" / "model.py"
    old.parent.mkdir()
    old.write_text("older")
    TritonWheel.find().make_backends(tmp_path)
    assert "class TritonPythonModel" in old.read_text()
    assert sorted(p.name for p in (tmp_path / "python").iterdir()) == [
        "libtriton_python.so", "triton_python_backend_stub", "triton_python_backend_utils.py"
    ]  # fmt: skip
