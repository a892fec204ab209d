"""Measures latency at shares of the highest rate and writes the figures, as JSON and as a page for people.

python -m benchmarks.latency                                                    the recorded run, half an hour
python -m benchmarks.latency --seconds 5 --trial-s 5 --repeats 1 --out trial    a trial
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from benchmarks.end_to_end.brokers import BrokerChoice, best_broker
from benchmarks.latency.measuring import TRAFFIC, Plan, measure
from benchmarks.latency.report import page
from benchmarks.recording import Files, measuring, recorded_run, told_again

FILES = Files.of("latency")
_CORES = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--seconds", type=click.FloatRange(1), default=60.0, show_default=True, help="of a measured run"
)
@click.option(
    "--trial-s", type=click.FloatRange(1), default=20.0, show_default=True, help="of a searching run"
)
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--first-rate", type=click.FloatRange(1), default=100.0, show_default=True, help="of the search"
)
@click.option("--traffic", multiple=True, type=click.Choice(list(TRAFFIC)), help="only this; default: all")
@click.option(
    "--rule-patience-s",
    type=click.FloatRange(0),
    help="SEKISHO_RULE_PATIENCE_S of the worker; default: the engine's own",
)
@recorded_run
def main(
    *,
    seconds: float,
    trial_s: float,
    repeats: int,
    first_rate: float,
    broker: BrokerChoice | None,
    traffic: tuple[str, ...],
    rule_patience_s: float | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    files = FILES.within(out)
    if not only_page:
        with measuring("latency", cores=_CORES) as directory:
            plan = Plan(
                seconds=seconds,
                trial_s=trial_s,
                repeats=repeats,
                first_rate=first_rate,
                broker=broker or best_broker(),
                traffic=traffic or tuple(TRAFFIC),
                directory=directory,
                settings={} if rule_patience_s is None else {"rule_patience_s": rule_patience_s},
            )
            found = asyncio.run(measure(plan, click.echo))
        files.save(found | {"command": told_again("benchmarks.latency")})
    files.write_page(page)


if __name__ == "__main__":
    main()
