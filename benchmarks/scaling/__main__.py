"""Measures what an event costs as a deployment grows, and writes JSON and a page.

    python -m benchmarks.scaling                                         the recorded run
    python -m benchmarks.scaling --only domains,rules --repeats 5        these axes; others keep their last figures
    python -m benchmarks.scaling --trial --repeats 1 --out DIR           a look whether everything works

Every run has a broker, a Triton and workers of its own.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import get_args

import click

from benchmarks.end_to_end.brokers import BrokerChoice, best_broker
from benchmarks.end_to_end.report import load, save
from benchmarks.scaling.campaign import AXES, Plan, carry_out
from benchmarks.scaling.case import RECORDED, TRIAL
from benchmarks.scaling.report import JSON, PAGE, page


def _axes(_context: click.Context, _parameter: click.Parameter, given: str | None) -> tuple[str, ...]:
    if given is None:
        return AXES
    asked = given.split(",")
    unknown = [name for name in asked if name not in AXES]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(AXES)}")
    return tuple(axis for axis in AXES if axis in asked)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", "axes", callback=_axes, help=f"some of {','.join(AXES)}, with commas")
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--trial", is_flag=True, help="The small ends of the axes with little traffic: no figures to keep."
)
@click.option(
    "--broker", type=click.Choice(get_args(BrokerChoice)), help="default: kafka where Java is there"
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="directory for JSON and page")
@click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run.")
def main(
    *,
    axes: tuple[str, ...],
    repeats: int,
    trial: bool,
    broker: BrokerChoice | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    if trial and out is None:
        raise click.UsageError("--trial needs --out DIR: its figures are not those to keep")
    json_path = out / JSON.name if out else JSON
    page_path = out / PAGE.name if out else PAGE
    if not only_page:
        logging.basicConfig(level=logging.ERROR)
        os.environ["OMP_NUM_THREADS"] = "1"
        with tempfile.TemporaryDirectory(prefix="sekisho-scaling-") as directory:
            plan = Plan(
                axes=axes,
                repeats=repeats,
                sizes=TRIAL if trial else RECORDED,
                broker=broker or best_broker(),
                directory=Path(directory),
                cores=len(os.sched_getaffinity(0)),
                command=" ".join(["python -m benchmarks.scaling", *without_out(sys.argv[1:])]),
            )
            before = load(json_path)["axes"] if json_path.exists() else {}
            for measured in carry_out(plan, click.echo):
                save({"benchmark": "scaling", "axes": before | measured}, json_path)
    page_path.write_text(page(load(json_path)), "utf-8")
    click.echo(f"{page_path} is written")


def without_out(arguments: list[str]) -> list[str]:
    """The arguments without a directory of this machine."""
    kept = list(arguments)
    if "--out" in kept:
        at = kept.index("--out")
        del kept[at : at + 2]
    return kept


if __name__ == "__main__":
    main()
