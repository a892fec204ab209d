"""`python -m marketplace`: write generated events and labelled examples to files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from marketplace import listing_examples, message_examples, traffic
from marketplace.noise import LabelNoise
from marketplace.parts import Kind, Recipe, part, part_sizes

#: A fixed day, so that the same seed writes the same bytes.
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_SYNTHETIC = (
    "Generated: every person, brand, number, price and picture is invented. "
    "Figures measured on it say nothing about any real marketplace."
)


class _FilesByDefault(click.Group):
    """`python -m marketplace --out DIR` is `… files --out DIR`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of options that are not the group's own."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = ["files", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_FilesByDefault, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Generated marketplace data: everything in it is invented."""


@main.command("files")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="directory to write to"
)
@click.option(
    "--messages", type=click.IntRange(0), default=1000, show_default=True, help="labelled windows of messages"
)
@click.option("--listings", type=click.IntRange(0), default=200, show_default=True, help="labelled listings")
@click.option(
    "--events",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="events of mixed traffic, as producers send them",
)
@click.option("--seed", type=int, default=1, show_default=True)
def files_command(out: Path, messages: int, listings: int, events: int, seed: int) -> None:
    """Write messages.jsonl and listings.jsonl (examples with labels), and events-*.jsonl (values for `sekisho produce`).

    Example: python -m marketplace --out corpus --messages 5000 --listings 1000
    """
    out.mkdir(parents=True, exist_ok=True)
    if messages:
        _write(out / "messages.jsonl", message_examples(seed, messages, start=_START))
    if listings:
        _write(out / "listings.jsonl", listing_examples(seed, listings, start=_START))
    if events:
        stretch = list(islice(traffic(seed, start=_START), events))
        for topic in ("messages", "listings"):
            _write(out / f"events-{topic}.jsonl", (event.value for event in stretch if event.topic == topic))


@main.command("examples")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="directory to write to"
)
@click.option("--messages", type=click.IntRange(0), default=30_000, show_default=True, help="in all parts")
@click.option("--listings", type=click.IntRange(0), default=6_000, show_default=True, help="in all parts")
@click.option(
    "--days", type=click.FloatRange(0, min_open=True), default=90.0, show_default=True, help="all parts' time"
)
@click.option(
    "--rich/--natural", default=True, show_default=True, help="more violations in train than traffic has"
)
@click.option(
    "--missed",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="share of violations labelled 0",
)
@click.option(
    "--false", "falsely", type=click.FloatRange(0, 1), default=0.0, show_default=True,
    help="share of harmless examples labelled 1",
)  # fmt: skip
@click.option(
    "--turnover", type=click.FloatRange(0, 1), default=0.0, show_default=True,
    help="drift of wording: 1 begins with the older half and ends with the newer half of it",
)  # fmt: skip
@click.option(
    "--growth", type=click.FloatRange(0), default=1.0, show_default=True,
    help="drift of prevalence: violations at the end, as a multiple of those at the start",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True)
def examples_command(
    *, out: Path, messages: int, listings: int, days: float, rich: bool, missed: float, falsely: float,
    turnover: float, growth: float, seed: int,
) -> None:  # fmt: skip
    """Write messages/ and listings/ with train.jsonl, valid.jsonl and test.jsonl, as `sekisho train --data` takes them.

    Each part is later than the one before; two thirds of the examples are train. Labels that --missed and --false
    flip keep what they were in "true_labels". The same seed writes the same bytes.

    Example: python -m marketplace examples --out corpus --turnover 0.6 --growth 2 --missed 0.05 --false 0.002
    """
    try:
        recipe = Recipe(
            seed=seed,
            start=_START,
            days=days,
            rich=rich,
            noise=LabelNoise(missed, falsely),
            turnover=turnover,
            growth=growth,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    counts: dict[Kind, int] = {"messages": messages, "listings": listings}
    for kind, total in counts.items():
        for name, count in part_sizes(total).items():
            if count:
                (out / kind).mkdir(parents=True, exist_ok=True)
                _write(out / kind / f"{name}.jsonl", part(kind, name, count, recipe))
    out.mkdir(parents=True, exist_ok=True)
    described = {
        "about": _SYNTHETIC, "seed": seed, "start": _START.isoformat(), "days": days, "rich": rich,
        "missed": missed, "false": falsely, "turnover": turnover, "growth": growth, "examples": counts,
    }  # fmt: skip
    (out / "corpus.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    click.echo(f"{path}: {count} lines", err=True)


if __name__ == "__main__":
    main()
