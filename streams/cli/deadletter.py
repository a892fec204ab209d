"""`sekisho deadletter`: look at records that could not be used, and send them again."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr, to_stdout
from streams.cli.printable import printable
from streams.cli.since import START, Since
from streams.events import rfc3339
from streams.kafka.dead_letters import DeadLetter, NotADeadLetterError, parse
from streams.replay_files import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter and where it lies in the `deadletter` topic."""

    partition: int
    offset: int
    letter: DeadLetter


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; None stands for any."""

    reason: str | None
    topics: tuple[str, ...] | None
    since_us: int

    def holds(self, letter: DeadLetter) -> bool:
        """Whether this letter is meant."""
        return (
            (self.reason is None or letter.reason == self.reason)
            and (self.topics is None or letter.topic in self.topics)
            and letter.at_us >= self.since_us
        )


def _selecting(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest."),
        click.option(
            "--since", type=Since(), default=START, help="Only from then on: 10m, 2h, 3d, or a time."
        ),
        click.option("--topic", help="Only those that came from this topic, e.g. messages."),
        click.option("--reason", help="Only those with this reason, e.g. missing_field."),
    ):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Look at records that could not be used, and send them again."""


@command.command("list")
@_selecting
@click.option("--values", is_flag=True, help="Show the records themselves; they may hold personal data.")
@click.option("--json", "as_json", is_flag=True, help="Each as one line of JSON, its value in base64.")
def list_command(
    *, reason: str | None, topic: str | None, since: int, limit: int | None, values: bool, as_json: bool
) -> None:
    """List dead letters, oldest first, with reason and origin.

    Example: sekisho deadletter list --reason missing_field --since 1d
    """
    settings = load_settings()
    kept, foreign = _read(settings, _selection(settings, reason, topic, since), limit)
    if as_json:
        for item in kept:
            click.echo(json.dumps(_record(item)))
    elif kept:
        to_stdout().print(_table(kept, values=values))
        counts = Counter(item.letter.reason for item in kept)
        click.echo(
            f"{len(kept)} dead letters: " + ", ".join(f"{n} {name}" for name, n in counts.most_common())
        )
    else:
        click.echo("no dead letters")
    _warn_of_foreign(foreign)


@command.command("replay")
@_selecting
@click.option("--dry-run", is_flag=True, help="Say what would be sent, send nothing.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object on standard output.")
def replay_command(
    *, reason: str | None, topic: str | None, since: int, limit: int | None, dry_run: bool, as_json: bool
) -> None:
    """Send dead letters to the topics they came from, with their original bytes, keys and headers.

    For records that were refused by mistake: after an update, or a changed limit. What is still unusable comes back
    as a new dead letter. The old ones stay until the topic's retention removes them.

    Example: sekisho deadletter replay --reason too_large --topic listings --since 2h
    """
    settings = load_settings()
    kept, foreign = _read(settings, _selection(settings, reason, topic, since), limit)
    _warn_of_foreign(foreign)
    cut = [item for item in kept if item.letter.truncated_from is not None]
    for item in cut:
        to_stderr().print(
            f"[yellow]not sent:[/] {item.partition}:{item.offset} holds only the beginning of a record of "
            f"{item.letter.truncated_from:,} bytes"
        )
    whole = [item.letter for item in kept if item.letter.truncated_from is None]
    counts = {"selected": len(kept), "sent": 0, "failed": 0, "truncated": len(cut)}
    if not dry_run:
        counts |= _send(settings, whole)
    if as_json:
        click.echo(json.dumps(counts))
    elif dry_run:
        click.echo(f"{len(whole)} would be sent")
    else:
        click.echo(f"{counts['sent']} sent, {counts['failed']} failed, {len(cut)} incomplete")
    if counts["failed"] or cut:
        raise SystemExit(1)


def _selection(settings: Settings, reason: str | None, topic: str | None, since: int) -> Selection:
    topics = None if topic is None else (topic, settings.topic(topic))
    return Selection(reason, topics, since)


def _read(settings: Settings, selection: Selection, limit: int | None) -> tuple[list[Kept], int]:
    """The selected dead letters, oldest first, and how many records of the topic are none."""
    from streams.kafka.clients import consumer
    from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since

    async def read(stop: asyncio.Event) -> tuple[list[Kept], int]:
        name = settings.topic("deadletter")
        kept: list[Kept] = []
        foreign = 0
        async with consumer(settings) as client:
            partitions = await assign_all(client, [name])
            if not partitions:
                raise click.ClickException(
                    f"the topic {name} does not exist: `sekisho topics create` makes it"
                )
            ends = await present_ends(client, partitions)
            starts = await starts_since(client, ends, selection.since_us or None)
            async for record in records_until_now(client, starts, ends):
                try:
                    letter = parse(record.key, record.value, record.headers)
                except NotADeadLetterError:
                    foreign += 1
                    continue
                if selection.holds(letter):
                    kept.append(Kept(record.partition, record.offset, letter))
                if stop.is_set():
                    raise click.Abort
        kept.sort(key=lambda item: (item.letter.at_us, item.partition, item.offset))
        return kept if limit is None else kept[-limit:], foreign

    with readable_errors():
        return run_until_stopped(read)


def _send(settings: Settings, letters: list[DeadLetter]) -> dict[str, int]:
    from streams.kafka.feed import Tally, feed_by_name

    by_topic: dict[str, list[Outgoing]] = {}
    for letter in letters:
        by_topic.setdefault(letter.topic, []).append(Outgoing(letter.key, letter.value, letter.headers))

    async def send(stop: asyncio.Event) -> list[Tally]:
        return [await feed_by_name(settings, name, found, stop=stop) for name, found in by_topic.items()]

    with readable_errors():
        tallies = run_until_stopped(send)
    for problem in (problem for tally in tallies for problem in tally.problems):
        to_stderr().print(problem, style="red", markup=False)
    sent = sum(tally.sent for tally in tallies)
    return {"sent": sent, "failed": len(letters) - sent}


def _record(item: Kept) -> dict[str, object]:
    letter = item.letter
    return {
        "partition": item.partition,
        "offset": item.offset,
        "at": rfc3339(letter.at_us),
        "reason": letter.reason,
        "detail": letter.detail,
        "source": {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset},
        "key": _text(letter.key),
        "bytes": len(letter.value or b"") if letter.truncated_from is None else letter.truncated_from,
        "truncated": letter.truncated_from is not None,
        "value": None if letter.value is None else base64.b64encode(letter.value).decode("ascii"),
    }


def _table(kept: list[Kept], *, values: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("at", "reason", "from", "key", "bytes", "value" if values else "detail"):
        table.add_column(heading, justify="right" if heading == "bytes" else "left", overflow="fold")
    for item in kept:
        table.add_row(*_cells(item.letter, values=values))
    return table


def _cells(letter: DeadLetter, *, values: bool) -> Iterator[Text]:
    yield Text(rfc3339(letter.at_us))
    yield Text(printable(letter.reason), style="yellow")
    yield Text(f"{printable(letter.topic)}/{letter.partition}:{letter.offset}")
    yield Text(printable(_text(letter.key) or "-", 40))
    yield Text(str(len(letter.value or b"") if letter.truncated_from is None else letter.truncated_from))
    yield Text(printable((_text(letter.value) or "") if values else letter.detail, 400))


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")


def _warn_of_foreign(count: int) -> None:
    if count:
        to_stderr().print(f"[yellow]note:[/] {count} records in the topic are no dead letters of Sekisho's")
