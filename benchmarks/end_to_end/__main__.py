"""Measures Sekisho end to end beside everything a user would pick instead, and writes JSON and a page.

    python -m benchmarks.end_to_end                                    the recorded run
    python -m benchmarks.end_to_end --messages 2000 --repeats 1 --out /tmp/trial     a trial

Before anything is timed, every system answers a thousand messages, and the run ends with an error when one of them
scores or alerts otherwise than the in-process loop. The answers of the timed runs are compared too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from pathlib import Path

import click

from benchmarks.end_to_end.brokers import best_broker
from benchmarks.end_to_end.comparison import IN_PROCESS, NAMES, Plan, compare
from benchmarks.end_to_end.report import JSON, PAGE, load, page, save

_CORES = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--messages", type=click.IntRange(500), default=20_000, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("--rules", type=click.IntRange(1), default=1_000, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="these systems; more than once")
@click.option("--broker", type=click.Choice(["kafka", "noida"]), help="default: kafka where Java is there")
@click.option(
    "--checked", type=click.IntRange(100), default=1_000, show_default=True, help="answered before timing"
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="conversations to take instead of generated ones (docs/contracts.md)",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="directory for JSON and page")
@click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run.")
def main(
    *,
    messages: int,
    repeats: int,
    rules: int,
    only: tuple[str, ...],
    broker: str | None,
    checked: int,
    data: Path | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    json_path = out / JSON.name if out else JSON
    page_path = out / PAGE.name if out else PAGE
    if not only_page:
        logging.basicConfig(level=logging.ERROR)
        cores = sorted(os.sched_getaffinity(0))[:_CORES]
        os.sched_setaffinity(0, cores)  # every process that is started inherits it
        os.environ["OMP_NUM_THREADS"] = "1"
        with tempfile.TemporaryDirectory(prefix="sekisho-end-to-end-") as directory:
            plan = Plan(
                messages=messages,
                repeats=repeats,
                rules=rules,
                systems=tuple(name for name in NAMES if not only or name in only or name == IN_PROCESS),
                broker="noida" if broker == "noida" else "kafka" if broker == "kafka" else best_broker(),
                checked=checked,
                data=data,
                directory=Path(directory),
                cores=len(cores),
            )
            save(asyncio.run(compare(plan, click.echo)), json_path)
    page_path.write_text(page(load(json_path)), "utf-8")
    click.echo(f"{page_path} is written")


if __name__ == "__main__":
    main()
