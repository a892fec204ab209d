"""Files replaced whole or not at all, and one writer at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.inference.durable import BusyError, replace_text, sole_writer


def test_a_file_gets_new_content_and_nothing_is_left_beside_it(tmp_path: Path):
    path = tmp_path / "domains.yaml"
    path.write_text("old")
    replace_text(path, "新しい")
    assert path.read_text(encoding="utf-8") == "新しい"
    assert list(tmp_path.iterdir()) == [path]


def test_cut_short_before_the_replacement_the_old_content_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "domains.yaml"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_text(path, "new")
    assert path.read_text() == "old"


def test_a_directory_has_one_writer_in_all_processes(tmp_path: Path):
    hold = (
        "import sys; from pathlib import Path; from streams.inference.durable import sole_writer\n"
        "with sole_writer(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    arguments = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=f"another command is changing {tmp_path}"), sole_writer(tmp_path):
            pass
        other.kill()  # as a crash would, without letting go
    with sole_writer(tmp_path):
        assert list(tmp_path.iterdir()) == [], "nothing lies about in the directory"


def test_a_directory_that_is_not_there(tmp_path: Path):
    with pytest.raises(FileNotFoundError), sole_writer(tmp_path / "none"):
        pass
