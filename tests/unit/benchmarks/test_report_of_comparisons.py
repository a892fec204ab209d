"""docs/results/benchmarks.md is what the comparisons' files give; `python -m benchmarks` starts what it says."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import command, main
from benchmarks.catalogue import COMPARISONS, RESULTS, Comparison, by_name
from benchmarks.report import PAGE, lowered, page, section

RULES = by_name("rules")[0]
ABSENT = Comparison("absent", "Not built", "benchmarks.absent", "benchmarks.absent.report", "absent")


def test_the_committed_page_is_made_of_the_committed_files() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m benchmarks.report"


def test_what_was_measured_is_shown_and_the_rest_is_named(tmp_path: Path) -> None:
    nothing = page(tmp_path)
    assert "Without figures so far: " in nothing
    shutil.copy(RESULTS / f"{RULES.file}.json", tmp_path)
    written = page(tmp_path)
    result = RULES.result(tmp_path)
    assert result is not None
    assert section(RULES, RULES.page(result)) in written
    assert f"(`{RULES.name}`)" in nothing
    assert f"(`{RULES.name}`)" not in written


def test_a_page_becomes_a_section_a_step_lower() -> None:
    own = "# Own title\n\nText with # and\n## Part\n\n```\n# a comment\n```\n\n### Detail\n"
    assert section(RULES, own) == (
        "## The rule engine\n\nText with # and\n### Part\n\n```\n# a comment\n```\n\n#### Detail"
    )
    assert lowered("no heading") == "no heading"


def test_every_comparison_that_is_there_has_a_page_beside_this_one() -> None:
    for comparison in COMPARISONS:
        result = comparison.result() if comparison.there else None
        if result is not None:
            assert comparison.page(result).startswith("# "), comparison.name


def test_the_run_to_keep_has_the_usual_sizes_and_a_trial_goes_elsewhere(tmp_path: Path) -> None:
    comparison = by_name("end_to_end")[0]
    assert command(comparison, None, None) == ["benchmarks.end_to_end"]
    assert command(comparison, None, tmp_path / "x.jsonl") == [
        "benchmarks.end_to_end", "--data", str(tmp_path / "x.jsonl"),
    ]  # fmt: skip
    trial = command(comparison, tmp_path, None)
    assert trial is not None
    assert trial[-2:] == ["--out", str(tmp_path)]


def test_what_is_not_there_and_what_has_no_trial_is_left_out(tmp_path: Path) -> None:
    assert command(ABSENT, None, None) is None
    assert command(RULES, tmp_path, None) is None
    assert command(RULES, None, None) == ["benchmarks.rules"]


def test_the_options_of_a_comparison_are_those_of_its_command() -> None:
    for comparison in COMPARISONS:
        if comparison.there and comparison.trial is not None:
            main = import_module(f"{comparison.module}.__main__").main
            known = {option for parameter in main.params for option in parameter.opts}
            asked = {*comparison.trial, "--out", *([comparison.data] if comparison.data else [])}
            assert {option for option in asked if option.startswith("--")} <= known, comparison.name


def test_names_that_are_none_are_refused() -> None:
    refused = CliRunner().invoke(main, ["--only", "rules,speed"])
    assert refused.exit_code == 2
    assert "speed: there are end_to_end" in refused.output


@pytest.mark.parametrize("name", [comparison.name for comparison in COMPARISONS])
def test_every_comparison_is_listed(name: str) -> None:
    assert f"{name}\t" in CliRunner().invoke(main, ["--list"]).output
