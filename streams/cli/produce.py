"""`sekisho produce`: send files of events or examples to an input topic."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr
from streams.replay_files import INPUTS, Outgoing, Refusal, Topic, records, records_as_they_are

if TYPE_CHECKING:
    from streams.kafka.feed import Tally

STDIN = "-"
#: A progress line more often than this only costs.
PROGRESS_EVERY_S = 0.2


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE...",
)
@click.option("--topic", type=click.Choice(INPUTS), required=True, help="Input topic, without the prefix.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Events per second; without it, as fast as possible.",
)
@click.option("--count", "limit", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option("--loop", is_flag=True, help="Start over at the end, with new ids, until --count or Ctrl-C.")
@click.option("--as-is", is_flag=True, help="Send every line unchanged, usable or not (to try bad input).")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object on standard output.")
def command(
    *,
    files: tuple[str, ...],
    topic: Topic,
    rate: float | None,
    limit: int | None,
    loop: bool,
    as_is: bool,
    as_json: bool,
) -> None:
    """Send files to an input topic and wait until Kafka has acknowledged every event.

    A FILE holds one JSON object a line: an event of the contract, an example conversation (sent message by message) or
    an example listing, whose image file is read and sent with it. `-` is standard input. Exit 1 when any event could
    not be sent or any line could not be used.

    Example: sekisho produce conversations.jsonl --topic messages --rate 200
    """
    if loop and STDIN in files:
        raise click.UsageError("standard input cannot be read twice: --loop needs files")
    from streams.kafka.feed import feed

    settings = load_settings()
    source = outgoing(files, topic, loop=loop, as_is=as_is)
    started = time.monotonic()
    with readable_errors():
        tally = run_until_stopped(
            lambda stop: feed(
                settings, topic, source, rate=rate, limit=limit, stop=stop, on_progress=_progress()
            )
        )
    _report(tally, topic, time.monotonic() - started, as_json=as_json)
    if tally.failed or tally.refused:
        raise SystemExit(1)


def outgoing(
    files: tuple[str, ...], topic: Topic, *, loop: bool = False, as_is: bool = False
) -> Iterator[Outgoing | Refusal]:
    """What the files hold for a topic, read as it is needed; with `loop` again and again under new ids."""
    for lap in count(1) if loop else (1,):
        usable = False
        for name in files:
            for record in _of_file(name, topic, lap=lap, as_is=as_is):
                usable = usable or isinstance(record, Outgoing)
                yield record
        if not usable:  # a loop over nothing would spin for ever
            return


def _of_file(name: str, topic: Topic, *, lap: int, as_is: bool) -> Iterator[Outgoing | Refusal]:
    path = Path(name)
    with sys.stdin.buffer if name == STDIN else path.open("rb") as lines:
        if as_is:
            yield from records_as_they_are(lines, topic)
        else:
            read_image = _image_reader(Path.cwd() if name == STDIN else path.resolve().parent)
            yield from records(lines, path=name, topic=topic, read_image=read_image, lap=lap)


def _image_reader(directory: Path) -> Callable[[str], bytes]:
    """Reads images beside the file and nowhere else: a data set of unknown origin must not name other files."""

    def read(relative: str) -> bytes:
        path = (directory / relative).resolve()
        if not path.is_relative_to(directory):
            raise PermissionError("it lies outside the file's directory")
        return path.read_bytes()

    return read


def _progress() -> Callable[[Tally], None]:
    """A line that counts, on a terminal only."""
    console = to_stderr()
    if not console.is_terminal:
        return lambda _tally: None
    last = 0.0

    def show(tally: Tally) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_EVERY_S:
            last = now
            console.file.write(f"\r{tally.sent:,} sent, {tally.failed:,} failed ")
            console.file.flush()

    return show


def _report(tally: Tally, topic: str, seconds: float, *, as_json: bool) -> None:
    console = to_stderr()
    if console.is_terminal:
        console.file.write("\r")
    for problem in tally.problems:
        console.print(problem, style="red", markup=False)
    counts = {
        "topic": topic,
        "sent": tally.sent,
        "failed": tally.failed,
        "refused": tally.refused,
        "seconds": round(seconds, 3),
        "events_per_s": round(tally.sent / seconds, 1),
    }
    if as_json:
        click.echo(json.dumps(counts))
    else:
        refused = f", {tally.refused:,} lines not usable" if tally.refused else ""
        click.echo(
            f"{tally.sent:,} sent to {topic}, {tally.failed:,} failed{refused} "
            f"in {seconds:.1f} s ({counts['events_per_s']} events/s)"
        )
