"""Measures what a slow and a hung Triton do to a worker and writes the figures, as JSON and as a page for people.

python -m benchmarks.backpressure                                       the recorded run, some ten minutes
python -m benchmarks.backpressure --seconds 10 --rate 50 --out trial    a trial
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from benchmarks.backpressure.measuring import Plan, measure
from benchmarks.backpressure.report import page
from benchmarks.end_to_end.brokers import BrokerChoice, best_broker
from benchmarks.recording import Files, measuring, recorded_run, told_again

FILES = Files.of("backpressure")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--rate", type=click.FloatRange(1), default=150.0, show_default=True, help="events a second, all topics"
)
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True, help="of each case")
@click.option("--listing-share", type=click.FloatRange(0, 0.9), default=0.1, show_default=True)
@recorded_run
def main(
    *,
    rate: float,
    seconds: float,
    listing_share: float,
    broker: BrokerChoice | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    files = FILES.within(out)
    if not only_page:
        with measuring("backpressure") as directory:
            plan = Plan(
                rate=rate,
                seconds=seconds,
                listing_share=listing_share,
                broker=broker or best_broker(),
                directory=directory,
            )
            found = asyncio.run(measure(plan, click.echo))
        files.save(found | {"command": told_again("benchmarks.backpressure")})
    files.write_page(page)


if __name__ == "__main__":
    main()
