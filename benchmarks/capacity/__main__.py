"""Says how large a deployment must be for a load, from the figures of the scaling benchmark.

python -m benchmarks.capacity --messages-per-s 2500 --listings-per-s 100 --conversations 3000000 --domains 10
python -m benchmarks.capacity --page                                  writes docs/scaling.md
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from benchmarks.capacity.costs import NotMeasured, costs_of
from benchmarks.capacity.page import described, page
from benchmarks.capacity.sizing import Load, deployment
from benchmarks.scaling.report import FILES

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--messages-per-s", type=click.FloatRange(0, min_open=True), default=1_000.0, show_default=True)
@click.option("--listings-per-s", type=click.FloatRange(0), default=0.0, show_default=True)
@click.option("--conversations", type=click.IntRange(0), default=0, help="open at the same time")
@click.option(
    "--domains", type=int, default=3, show_default=True, help="for messages; a number that was measured"
)
@click.option(
    "--costs",
    "measured",
    type=click.Path(dir_okay=False, path_type=Path),
    default=FILES.json,
    help="another scaling.json, e.g. of your machine",
)
@click.option("--page", "write_page", is_flag=True, help="Write docs/scaling.md instead.")
def main(
    *,
    messages_per_s: float,
    listings_per_s: float,
    conversations: int,
    domains: int,
    measured: Path,
    write_page: bool,
) -> None:
    """Size a deployment."""
    if not measured.exists():
        raise click.ClickException(f"{measured} is not there: run python -m benchmarks.scaling")
    result = json.loads(measured.read_text("utf-8"))
    try:
        if write_page:
            PAGE.write_text(page(result), "utf-8")
            click.echo(f"{PAGE} is written")
            return
        costs = costs_of(result)
    except NotMeasured as error:
        raise click.ClickException(str(error)) from error
    if domains not in costs.messages:
        known = ", ".join(map(str, sorted(costs.messages)))
        raise click.ClickException(f"{domains} domains were not measured: there are figures of {known}")
    load = Load(messages_per_s, listings_per_s, conversations, domains)
    click.echo(described(load, deployment(load, costs)))


if __name__ == "__main__":
    main()
