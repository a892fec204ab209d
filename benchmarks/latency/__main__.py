"""Measures latency at shares of the highest rate and writes the figures, as JSON and as a page for people.

python -m benchmarks.latency                                                    the recorded run, half an hour
python -m benchmarks.latency --seconds 5 --trial-s 5 --repeats 1 --out trial    a trial
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

from benchmarks.end_to_end.brokers import best_broker
from benchmarks.latency.measuring import TRAFFIC, Plan, measure
from benchmarks.latency.report import page

_ROOT = Path(__file__).parents[2]
JSON = _ROOT / "benchmarks" / "results" / "latency.json"
PAGE = _ROOT / "docs" / "results" / "latency.md"
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
@click.option("--broker", type=click.Choice(["kafka", "noida"]), help="default: kafka where Java is there")
@click.option("--traffic", multiple=True, type=click.Choice(list(TRAFFIC)), help="only this; default: all")
@click.option(
    "--rule-patience-s",
    type=click.FloatRange(0),
    help="SEKISHO_RULE_PATIENCE_S of the worker; default: the engine's own",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="directory for JSON and page")
@click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run.")
def main(
    *,
    seconds: float,
    trial_s: float,
    repeats: int,
    first_rate: float,
    broker: str | None,
    traffic: tuple[str, ...],
    rule_patience_s: float | None,
    out: Path | None,
    only_page: bool,
) -> None:
    """Measure and write the result."""
    json_path = out / JSON.name if out else JSON
    page_path = out / PAGE.name if out else PAGE
    if not only_page:
        logging.basicConfig(level=logging.ERROR)
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])  # every process started inherits it
        os.environ["OMP_NUM_THREADS"] = "1"
        with tempfile.TemporaryDirectory(prefix="sekisho-latency-") as directory:
            plan = Plan(
                seconds=seconds,
                trial_s=trial_s,
                repeats=repeats,
                first_rate=first_rate,
                broker="noida" if broker == "noida" else "kafka" if broker == "kafka" else best_broker(),
                traffic=traffic or tuple(TRAFFIC),
                directory=Path(directory),
                settings={} if rule_patience_s is None else {"rule_patience_s": rule_patience_s},
            )
            found = asyncio.run(measure(plan, click.echo))
        # Without --out, which is a place of this machine's.
        arguments = [word for word in sys.argv[1:] if word != "--out" and word != str(out)]
        found["command"] = " ".join(["python -m benchmarks.latency", *arguments])
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    page_path.write_text(page(json.loads(json_path.read_text("utf-8"))), "utf-8")
    click.echo(f"{page_path} is written")


if __name__ == "__main__":
    main()
