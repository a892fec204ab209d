"""`sekisho archive`: predictions, alerts and decisions from Kafka to Parquet."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from streams.archive.layout import DATASETS, USUAL
from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr

if TYPE_CHECKING:
    from streams.archive.sink import Sink, Written


@click.command()
@click.option(
    "--out",
    "where",
    help="A folder, or an address that fsspec opens, e.g. s3://bucket/folder.  [default: SEKISHO_DATA_DIR/archive]",
)
@click.option(
    "--topics",
    "datasets",
    multiple=True,
    type=click.Choice(DATASETS),
    default=USUAL,
    show_default=True,
    help="What to archive; may be given several times. Dead letters hold the original bytes, not masked.",
)
@click.option("--once/--follow", default=True, help="Stop at the end, or go on with what comes.")
@click.option(
    "--rows", type=click.IntRange(min=1), default=200_000, show_default=True, help="Most records of a file."
)
@click.option(
    "--mib",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Most MiB of records in a file, before compression; four times as much may wait in memory.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    help="With --follow: a file is written this long after its first record was read.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    *,
    where: str | None,
    datasets: tuple[str, ...],
    once: bool,
    rows: int,
    mib: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Keep predictions, alerts and decisions as Parquet files, each record exactly once.

    Goes on where the files in --out end; what was read and not yet written when it is killed is read again. Exits 1
    when Kafka had deleted records before they were archived, and when none of the topics is there.

    Example: sekisho archive --out s3://moderation/archive --follow
    """
    settings = load_settings()
    place = where or str(settings.data_dir / "archive")
    with _readable_refusals(), readable_errors():
        from streams.archive.following import archive_topics
        from streams.archive.report import as_text, report

        sink = _sink(place, rows=rows, mib=mib, seconds=seconds)

        async def work(stop: asyncio.Event) -> None:
            await archive_topics(settings, datasets, sink, follow=not once, stop=stop)

        with sink.target.alone():
            run_until_stopped(work)
    if as_json:
        click.echo(json.dumps(report(sink.tallies)))
    elif sink.tallies:
        click.echo(as_text(sink.tallies, place))
    if not sink.tallies:
        raise click.ClickException(
            f"none of the topics is on {settings.broker}: `sekisho topics create` makes them"
        )
    if any(tally.lost for tally in sink.tallies.values()):
        raise SystemExit(1)


def _sink(place: str, *, rows: int, mib: int, seconds: float) -> Sink:
    from streams.archive.rotation import Rotation
    from streams.archive.sink import Sink
    from streams.archive.target import target_at

    console = to_stderr()

    def told_of_file(written: Written) -> None:
        console.print(
            f"[dim]{written.path}: {written.rows:,} records, {written.size_bytes / (1 << 20):.1f} MiB[/]"
        )

    def told_of_gap(topic: str, partition: int, first: int, begins: int) -> None:
        console.print(
            f"[bold red]lost:[/] {topic} partition {partition}, {begins - first:,} offsets from {first} to "
            f"{begins - 1}: Kafka deleted them before they were archived"
        )

    rotation = Rotation(rows, mib << 20, seconds, memory_bytes=4 * mib << 20)
    try:
        target = target_at(place)
    except ValueError as error:  # fsspec knows no such kind of address
        raise click.ClickException(f"{place}: {error}") from error
    return Sink(target, rotation, time.monotonic, told_of_file, told_of_gap)


@contextmanager
def _readable_refusals() -> Iterator[None]:
    """Turn what an operator can correct about the place and the topics into one line on stderr and exit 1."""
    try:
        from aiokafka.errors import KafkaError

        from streams.archive.layout import ForeignFileError
        from streams.archive.sink import TopicMadeAnewError
        from streams.archive.target import NameTakenError
        from streams.inference.durable import BusyError
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the archive needs {error.name}: pip install 'sekisho[archive]'"
        ) from error
    try:
        yield
    except ImportError as error:  # fsspec says which of its drivers is missing
        raise click.ClickException(f"this kind of place needs another package: {error}") from error
    except (BusyError, NameTakenError, ForeignFileError, TopicMadeAnewError) as error:
        raise click.ClickException(str(error)) from error
    except (OSError, KafkaError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from error
