"""Measures the rule engine and writes the figures, as JSON and as a page for people.

    python -m benchmarks.rules                                  the generated corpus
    python -m benchmarks.rules --texts FILE --texts FILE        real conversations too (docs/contracts.md)

pyahocorasick and hyperscan are no dependencies: where they are not installed their rows are missing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks.recording import Files
from benchmarks.rules.machine import machine, versions
from benchmarks.rules.report import page
from benchmarks.rules.speed import by_length, side_by_side
from benchmarks.rules.swap import swaps
from benchmarks.rules.workload import Workload, workload

FILES = Files.of("rules-speed")


@click.command()
@click.option("--texts", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True)
@click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run.")
def main(texts: tuple[Path, ...], only_page: bool) -> None:
    """Measure the rule engine."""
    if not only_page:
        FILES.save(measure(texts))
    FILES.write_page(page)


def measure(paths: tuple[Path, ...]) -> dict[str, Any]:
    """Everything, for the files given and the generated corpus; reloads on the first of them."""
    sets = []
    first: Workload | None = None
    for path in (*paths, None):
        given = workload(path)
        first = first or given
        click.echo(f"{given.name}: {len(given.texts)} messages, {given.lengths()['mean']:.0f} characters")
        sets.append(
            {
                "name": given.name,
                "messages": len(given.texts),
                "chars": given.lengths(),
                "words": len(given.words),
                "coined": given.coined,
                "side_by_side": side_by_side(given, click.echo),
                "by_length": [
                    row for number in (1_000, 10_000) for row in by_length(given, number, click.echo)
                ],
            }
        )
    assert first is not None
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": " ".join(["python -m benchmarks.rules", *(f"--texts {path.name}" for path in paths)]),
        "machine": machine(),
        "versions": versions(),
        "sets": sets,
        "swaps_of": first.name,
        "swaps": asyncio.run(swaps(first, click.echo)),
    }


if __name__ == "__main__":
    main()
