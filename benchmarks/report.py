"""`python -m benchmarks.report`: docs/results/benchmarks.md from the JSON files that the comparisons left behind."""

from __future__ import annotations

import re
from pathlib import Path

import click

from benchmarks.catalogue import COMPARISONS, RESULTS, ROOT, Comparison

PAGE = ROOT / "docs" / "results" / "benchmarks.md"

_INTRODUCTION = """\
# Benchmarks

Written by `python -m benchmarks.report` from the files in `benchmarks/results/`; do not edit. `make bench` runs every
comparison that is here, one after the other, and writes them and this page; `make bench ARGS="--list"` names them. Each
section gives date, machine, versions and command. What is compared within a section was measured side by side in one run:
the ratios are the result, absolute figures are context. What models find is in [results.md](../results.md)."""

_FENCE = re.compile(r"```.*?```", re.DOTALL)
_HEADING = re.compile(r"^(#+) ", re.MULTILINE)


def page(directory: Path = RESULTS) -> str:
    """The whole page: the comparisons of which there are results, then the names of those that were not run yet."""
    parts = [_INTRODUCTION]
    missing = []
    for comparison in COMPARISONS:
        result = comparison.result(directory) if comparison.there else None
        if result is None:
            missing.append(comparison)
        else:
            parts.append(section(comparison, comparison.page(result)))
    if missing:
        named = ", ".join(f"{each.title[0].lower()}{each.title[1:]} (`{each.name}`)" for each in missing)
        parts.append(f"Without figures so far: {named}.")
    return "\n\n".join(parts) + "\n"


def section(comparison: Comparison, own_page: str) -> str:
    """A benchmark's own page as a section of this one: its title is ours, its headings are a step lower."""
    _, _, body = own_page.partition("\n")
    return f"## {comparison.title}\n\n{lowered(body.strip())}"


def lowered(text: str) -> str:
    """Markdown with every heading a step lower; what stands between fences is left as it is."""
    found = []
    at = 0
    for fence in _FENCE.finditer(text):
        found += [_HEADING.sub(r"#\1 ", text[at : fence.start()]), fence.group()]
        at = fence.end()
    return "".join([*found, _HEADING.sub(r"#\1 ", text[at:])])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--results", type=click.Path(exists=True, file_okay=False, path_type=Path), default=RESULTS)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=PAGE)
def main(results: Path, out: Path) -> None:
    """Assemble docs/results/benchmarks.md."""
    out.write_text(page(results), "utf-8")
    click.echo(f"{out} is written")


if __name__ == "__main__":
    main()
