"""`python -m tests.faults`: run a fault campaign and write what came of it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

RESULTS = Path(__file__).parents[2] / "docs" / "results"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--events", type=click.IntRange(1), default=1_000_000, show_default=True, help="least number sent"
)
@click.option("--rate", type=click.FloatRange(1), default=300.0, show_default=True, help="events per second")
@click.option("--faults", type=click.IntRange(1), default=60, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="of traffic, faults and their times")
@click.option("--workers", type=click.IntRange(1, 8), default=3, show_default=True)
@click.option("--brokers", type=click.Choice(["1", "3"]), default="3", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Markdown file; JSON beside it")
@click.option(
    "--work-dir", type=click.Path(file_okay=False, path_type=Path), help="kept; default: a temporary one"
)
def main(
    *,
    events: int,
    rate: float,
    faults: int,
    seed: int,
    workers: int,
    brokers: str,
    out: Path | None,
    work_dir: Path | None,
) -> None:
    """Break a running engine at random and prove that nothing was lost.

    Exit code 1 on any broken promise. Example: python -m tests.faults --events 20000 --rate 100 --faults 16 --workers 2
    """
    from tests.faults import campaign, report

    logging.basicConfig(level=logging.WARNING)
    # Told of every broken connection forty times a second while brokers are away, which is what they are for.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    directory = work_dir or Path(tempfile.mkdtemp(prefix="sekisho-faults-"))
    plan = campaign.Plan(events, rate, faults, seed, workers, int(brokers), directory)
    click.echo(f"logs, journal and ledger: {directory}", err=True)
    found = report.result(asyncio.run(campaign.run(plan)))
    path = out or RESULTS / f"faults-{datetime.now(UTC):%Y-%m-%d}.md"
    text = report.markdown(found)
    page, beside = report.write(found, text, path)
    click.echo(text)
    click.echo(f"written: {page}, {beside}", err=True)
    if not found["passed"]:
        sys.exit(1)
    if work_dir is None:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
