"""Measures Sekisho end to end beside everything a user would pick instead, and writes JSON and a page.

    python -m benchmarks.end_to_end                                    the recorded run
    python -m benchmarks.end_to_end --messages 2000 --repeats 1 --out /tmp/trial     a trial

Before anything is timed, every system answers a thousand messages, and the run ends with an error when one of them
scores or alerts otherwise than the in-process loop. The answers of the timed runs are compared too.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from benchmarks.end_to_end.brokers import BrokerChoice, best_broker
from benchmarks.end_to_end.comparison import IN_PROCESS, NAMES, Plan, compare
from benchmarks.end_to_end.report import FILES, page
from benchmarks.recording import measuring, recorded_run

_CORES = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--messages", type=click.IntRange(500), default=20_000, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("--rules", type=click.IntRange(1), default=1_000, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="these systems; more than once")
@click.option(
    "--checked", type=click.IntRange(100), default=1_000, show_default=True, help="answered before timing"
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="conversations to take instead of generated ones (docs/contracts.md)",
)
@recorded_run
def main(
    *,
    messages: int,
    repeats: int,
    rules: int,
    only: tuple[str, ...],
    broker: BrokerChoice | None,
    checked: int,
    data: Path | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    files = FILES.within(out)
    if not only_page:
        with measuring("end-to-end", cores=_CORES) as directory:
            plan = Plan(
                messages=messages,
                repeats=repeats,
                rules=rules,
                systems=tuple(name for name in NAMES if not only or name in only or name == IN_PROCESS),
                broker=broker or best_broker(),
                checked=checked,
                data=data,
                directory=directory,
                cores=len(os.sched_getaffinity(0)),
            )
            files.save(asyncio.run(compare(plan, click.echo)))
    files.write_page(page)


if __name__ == "__main__":
    main()
