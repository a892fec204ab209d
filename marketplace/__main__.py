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

#: A fixed day, so that the same seed writes the same bytes.
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
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
def main(out: Path, messages: int, listings: int, events: int, seed: int) -> None:
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


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    click.echo(f"{path}: {count} lines", err=True)


if __name__ == "__main__":
    main()
