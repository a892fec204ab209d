"""`python -m tests.faults.fuzz`: send mutated records through the real worker and write what came of it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

import click

BrokerKind = Literal["noida", "tansu", "kafka"]
RESULT = Path(__file__).parents[3] / "docs" / "results" / "fuzz.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--records", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="of the records and their mutations")
@click.option("--broker", type=click.Choice(["noida", "tansu", "kafka"]), default="noida", show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=RESULT,
    help="Markdown file; JSON beside it",
)
@click.option(
    "--work-dir", type=click.Path(file_okay=False, path_type=Path), help="kept; default: a temporary one"
)
def main(*, records: int, seed: int, broker: BrokerKind, out: Path, work_dir: Path | None) -> None:
    """Prove that no record stops the worker and that every one is accounted for.

    Exit code 1 on any broken promise. Example: python -m tests.faults.fuzz --records 5000 --seed 7
    """
    from tests.faults.fuzz import report, run
    from tests.faults.report import write

    logging.basicConfig(level=logging.WARNING)
    directory = work_dir or Path(tempfile.mkdtemp(prefix="sekisho-fuzz-"))
    click.echo(f"logs: {directory}", err=True)
    plan = run.Plan(records, seed, broker, directory)
    found = report.result(asyncio.run(run.run(plan)))
    text = report.markdown(found)
    page, beside = write(found, text, out)
    click.echo(text)
    click.echo(f"written: {page}, {beside}", err=True)
    if not found["passed"]:
        sys.exit(1)
    if work_dir is None:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
