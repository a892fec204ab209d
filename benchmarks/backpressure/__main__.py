"""Measures what a slow and a hung Triton do to a worker and writes the figures, as JSON and as a page for people.

python -m benchmarks.backpressure                                       the recorded run, some ten minutes
python -m benchmarks.backpressure --seconds 10 --rate 50 --out trial    a trial
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

import click

from benchmarks.backpressure.measuring import Plan, measure
from benchmarks.backpressure.report import page
from benchmarks.end_to_end.brokers import best_broker

_ROOT = Path(__file__).parents[2]
JSON = _ROOT / "benchmarks" / "results" / "backpressure.json"
PAGE = _ROOT / "docs" / "results" / "backpressure.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--rate", type=click.FloatRange(1), default=150.0, show_default=True, help="events a second, all topics"
)
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True, help="of each case")
@click.option("--listing-share", type=click.FloatRange(0, 0.9), default=0.1, show_default=True)
@click.option("--broker", type=click.Choice(["kafka", "noida"]), help="default: kafka where Java is there")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="directory for JSON and page")
@click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run.")
def main(
    *,
    rate: float,
    seconds: float,
    listing_share: float,
    broker: str | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    json_path = out / JSON.name if out else JSON
    page_path = out / PAGE.name if out else PAGE
    if not only_page:
        logging.basicConfig(level=logging.ERROR)
        os.environ["OMP_NUM_THREADS"] = "1"
        with tempfile.TemporaryDirectory(prefix="sekisho-backpressure-") as directory:
            plan = Plan(
                rate=rate,
                seconds=seconds,
                listing_share=listing_share,
                broker="noida" if broker == "noida" else "kafka" if broker == "kafka" else best_broker(),
                directory=Path(directory),
            )
            found = asyncio.run(measure(plan, click.echo))
        # Without --out, which is a place of this machine's.
        arguments = [word for word in sys.argv[1:] if word != "--out" and word != str(out)]
        found["command"] = " ".join(["python -m benchmarks.backpressure", *arguments])
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    page_path.write_text(page(json.loads(json_path.read_text("utf-8"))), "utf-8")
    click.echo(f"{page_path} is written")


if __name__ == "__main__":
    main()
