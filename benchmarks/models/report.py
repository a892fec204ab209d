"""`python -m benchmarks.models.report`: docs/results.md from the JSON files that the benchmarks left behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks.models.record import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "results.md"

_INTRODUCTION = """\
# Results on public data

Written by `python -m benchmarks.models.report` from the files in `benchmarks/results/`, which the benchmarks wrote when
they ran; nothing here is typed by hand. Each section gives date, command, seeds and versions. Goals that were missed are
in bold. The data sets are public but no part of this repository; every command takes the directory they lie in.
Measurements of the engine and of what ships are beside it, in `docs/results/`.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark of the page.

    `module.section` renders Markdown from the results of `files`: from a list of them where `several`, else from the
    one there is.
    """

    title: str
    module: str
    files: tuple[str, ...]
    several: bool = False


SECTIONS = (
    Section(
        "Sentence encoder", "sentences", ("sentences_mr", "sentences_subj", "sentences_trec"), several=True
    ),
    Section("Message model", "messages", ("messages_convabuse", "messages_conda"), several=True),
    Section("Listings", "listings", ("listings",)),
    Section("Gated fusion on synthetic data", "gmu_synthetic", ("gmu_synthetic",)),
)


def page(directory: Path = RESULTS) -> str:
    """The whole page. A result that is not there is said to be missing, with the command that makes it."""
    return "\n".join([_INTRODUCTION, *(_section(section, directory) for section in SECTIONS)])


def _section(section: Section, directory: Path) -> str:
    results: list[Mapping[str, Any]] = []
    missing: list[str] = []
    for name in section.files:
        path = directory / f"{name}.json"
        if path.exists():
            results.append(json.loads(path.read_text(encoding="utf-8")))
        else:
            missing.append(name)
    notes = [
        f"**Missing: `benchmarks/results/{name}.json`.** Run `python -m benchmarks.models.{section.module}`.\n"
        for name in missing
    ]
    if not results:
        return "\n".join([f"## {section.title}\n", *notes])
    render = import_module(f"benchmarks.models.{section.module}").section
    text: str = render(results) if section.several else render(results[0])
    return "\n".join([text, *notes])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--results", type=click.Path(exists=True, file_okay=False, path_type=Path), default=RESULTS)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=PAGE)
def main(results: Path, out: Path) -> None:
    """Assemble docs/results.md."""
    out.write_text(page(results), encoding="utf-8")
    click.echo(f"{out}")


if __name__ == "__main__":
    main()
