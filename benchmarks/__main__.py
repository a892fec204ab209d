"""`make bench`: every comparison, one after the other, and the page that shows them all.

    python -m benchmarks                              all of them, figures to keep
    python -m benchmarks --only end_to_end,scaling    these
    python -m benchmarks --data FILE                  conversations of your own (docs/contracts.md), where they are taken
    python -m benchmarks --trial DIR                  a look whether each works; its small figures go to DIR
    python -m benchmarks --list                       their names

A comparison that fails does not keep the others from running; the exit code is 1 then.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click

from benchmarks import report
from benchmarks.catalogue import COMPARISONS, ROOT, Comparison, by_name


def _named(_context: click.Context, _parameter: click.Parameter, given: str | None) -> tuple[Comparison, ...]:
    if given is None:
        return COMPARISONS
    try:
        return by_name(given)
    except KeyError as error:
        known = ", ".join(comparison.name for comparison in COMPARISONS)
        raise click.BadParameter(f"{error.args[0]}: there are {known}") from error


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", "chosen", callback=_named, help="names with commas between them; default: all")
@click.option(
    "--trial", type=click.Path(file_okay=False, path_type=Path), help="small sizes, into a directory"
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="conversations to measure with instead of generated ones",
)
@click.option("--list", "listed", is_flag=True, help="Name the comparisons and what each measures.")
def main(chosen: tuple[Comparison, ...], trial: Path | None, data: Path | None, *, listed: bool) -> None:
    """Run the comparisons and write docs/results/benchmarks.md."""
    if listed:
        for comparison in chosen:
            click.echo(f"{comparison.name}\t{comparison.title}" + ("" if comparison.there else "\tnot there"))
        return
    if trial is not None:
        trial.mkdir(parents=True, exist_ok=True)
    failed = [comparison.name for comparison in chosen if not carried_out(comparison, trial, data)]
    if trial is None:
        report.PAGE.write_text(report.page(), "utf-8")
        click.echo(f"{report.PAGE.relative_to(ROOT)} is written")
    if failed:
        click.echo(f"failed: {', '.join(failed)}; what went wrong is above", err=True)
        sys.exit(1)


def carried_out(comparison: Comparison, trial: Path | None, data: Path | None) -> bool:
    """Run it in a process of its own, so that none inherits what another imported. False when it failed."""
    arguments = command(comparison, trial, data)
    if arguments is None:
        click.echo(f"{comparison.name}: left out")
        return True
    click.echo(f"{comparison.name}: python -m {' '.join(arguments)}")
    began_s = time.monotonic()
    ended = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False)
    click.echo(f"{comparison.name}: {(time.monotonic() - began_s) / 60:.0f} minutes")
    return ended.returncode == 0


def command(comparison: Comparison, trial: Path | None, data: Path | None) -> list[str] | None:
    """What comes after `python -m`; None where there is nothing to run."""
    if not comparison.there or (trial is not None and comparison.trial is None):
        return None
    arguments = [comparison.module]
    if trial is not None:
        arguments += [*(comparison.trial or ()), "--out", str(trial.resolve())]
    if data is not None and comparison.data is not None:
        arguments += [comparison.data, str(data.resolve())]
    return arguments


if __name__ == "__main__":
    main()
