"""Where comparisons keep their figures, and how a run is told again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.recording import Files, told_again


def test_figures_come_back_and_a_trial_stays_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Files.of("end_to_end")
    assert kept.json.parts[-3:] == ("benchmarks", "results", "end_to_end.json")
    assert kept.page.parts[-3:] == ("docs", "results", "end-to-end.md")
    assert kept.within(None) == kept
    files = kept.within(tmp_path / "trial")
    result: dict[str, Any] = {"rate": 7.5, "name": "関所"}
    files.save(result)
    assert files.load() == result
    files.write_page(lambda found: f"{found['rate']} {found['name']}\n")
    assert (tmp_path / "trial" / "end-to-end.md").read_text("utf-8") == "7.5 関所\n"
    assert "end-to-end.md is written" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--repeats", "2", "--out", "/tmp/x", "--trial"],
        ["--repeats", "2", "--out=/tmp/x", "--trial"],
        ["--repeats", "2", "--trial"],
    ],
)
def test_the_command_names_no_directory_of_this_machine(arguments: list[str]) -> None:
    assert told_again("benchmarks.x", arguments) == "python -m benchmarks.x --repeats 2 --trial"
