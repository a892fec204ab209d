"""Measures what an event costs as a deployment grows, and writes JSON and a page.

    python -m benchmarks.scaling                                         the recorded run
    python -m benchmarks.scaling --only domains,rules --repeats 5        these axes; others keep their last figures
    python -m benchmarks.scaling --trial --repeats 1 --out DIR           a look whether everything works

Every run has a broker, a Triton and workers of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from benchmarks.end_to_end.brokers import BrokerChoice, best_broker
from benchmarks.recording import measuring, recorded_run, told_again
from benchmarks.scaling.campaign import AXES, Plan, carry_out
from benchmarks.scaling.case import RECORDED, TRIAL
from benchmarks.scaling.report import FILES, page


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
@recorded_run
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
    files = FILES.within(out)
    if not only_page:
        with measuring("scaling") as directory:
            plan = Plan(
                axes=axes,
                repeats=repeats,
                sizes=TRIAL if trial else RECORDED,
                broker=broker or best_broker(),
                directory=directory,
                cores=len(os.sched_getaffinity(0)),
                command=told_again("benchmarks.scaling"),
            )
            before = files.load()["axes"] if files.json.exists() else {}
            for measured in carry_out(plan, click.echo):
                files.save({"benchmark": "scaling", "axes": before | measured})
    files.write_page(page)


if __name__ == "__main__":
    main()
