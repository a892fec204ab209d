"""`sekisho rules backtest`: try a rule set on history, from a file or from Kafka."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.backtest.history import past_of_line, past_of_record, verdict_of
from streams.backtest.report import as_text, report
from streams.backtest.trial import Trial
from streams.cli.bar import STEP, bar
from streams.cli.console import load_settings, readable_errors, run_until_stopped
from streams.cli.rule_files import snapshot_of
from streams.cli.since import Since
from streams.diagnostics import errors
from streams.rule_engine import RuleSet
from streams.rulebook.child import check_in_child
from streams.windows import Lifetimes

if TYPE_CHECKING:
    from streams.settings import Settings


@click.command()
@click.option(
    "--events",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSONL of events or examples; may be given several times.",
)
@click.option(
    "--topic", type=click.Choice(["messages", "listings"]), help="Read this topic instead of files."
)
@click.option("--since", type=Since(), default="7d", show_default=True, help="How far back, with --topic.")
@click.option(
    "--rules",
    "directory",
    type=click.Path(exists=True, path_type=Path),
    help="The rules to try; default: SEKISHO_RULES_DIR.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    help="The live rules to compare with; default: SEKISHO_RULES_DIR, if --rules is another directory.",
)
@click.option(
    "--decisions",
    "decision_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSONL of moderators' decisions; with --topic those of the topic `decisions` are read as well.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def backtest(
    *,
    files: tuple[Path, ...],
    topic: str | None,
    since: int,
    directory: Path | None,
    against: Path | None,
    decision_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Try rules on past events: hits, alerts a day, new and lost alerts against the live set, precision and recall.

    Example: sekisho rules backtest --events last_week.jsonl --rules my-edit/
    """
    if bool(files) == (topic is not None):
        raise click.UsageError("give --events FILE or --topic NAME")
    settings = load_settings()
    rules = _usable(directory or settings.rules_dir)
    if against is None and directory is not None and settings.rules_dir.is_dir():
        against = settings.rules_dir
    live = _usable(against) if against is not None else None
    lifetimes = Lifetimes.of_days(idle=settings.window_idle_days, ended=settings.window_ended_days)
    trial = Trial(rules, live, lifetimes=lifetimes)
    for path in decision_files:
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if line.strip():
                trial.judge(verdict_of(line), f"{path}:{number}")
    began, busy = time.monotonic(), time.process_time()
    if files:
        _read_files(files, trial)
    else:
        assert topic is not None
        with readable_errors():
            run_until_stopped(lambda stop: _read_topic(settings, topic, since, trial, stop))
    seconds, busy_s = time.monotonic() - began, time.process_time() - busy
    events = sum(trial.events.values())
    if as_json:
        body = report(trial) | {"seconds": round(seconds, 2), "processor_seconds": round(busy_s, 2)}
        click.echo(json.dumps(body, ensure_ascii=False))
        return
    click.echo(as_text(trial))
    a_minute = 60 * events / max(busy_s, 1e-9)
    click.echo(f"\n{events:,} events in {seconds:.1f} s ({a_minute:,.0f} in a minute of one core)")


def _usable(path: Path) -> RuleSet:
    bundle = asyncio.run(check_in_child(snapshot_of((path,)).files))
    if not bundle.usable:
        for issue in errors(bundle.issues):
            click.echo(issue.render(), err=True)
        raise click.ClickException(f"the rules in {path} have errors")
    return RuleSet(bundle.rules)


def _read_files(files: tuple[Path, ...], trial: Trial) -> None:
    now_us = time.time_ns() // 1000
    with bar(sum(path.stat().st_size for path in files)) as (progress, task):
        for path in files:
            read = 0
            with path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    read += len(line)
                    if line.strip():
                        for past in past_of_line(line, without_time_us=now_us):
                            trial.add(past, f"{path}:{number}")
                    if number % STEP == 0:
                        progress.advance(task, read)
                        read = 0
            progress.advance(task, read)


async def _read_topic(
    settings: Settings, topic: str, since_us: int, trial: Trial, stop: asyncio.Event
) -> None:
    from streams.kafka.clients import consumer
    from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since

    kind = "listing" if topic == "listings" else "message"
    async with consumer(settings) as client:
        ends = await present_ends(client, await assign_all(client, [settings.topic("decisions")]))
        starts = await starts_since(client, ends, since_us or None)
        async for record in records_until_now(client, starts, ends):
            trial.judge(verdict_of(record.value), f"{record.topic} {record.partition}:{record.offset}")
        partitions = await assign_all(client, [settings.topic(topic)])
        if not partitions:
            raise click.ClickException(f"there is no topic {settings.topic(topic)} on {settings.broker}")
        ends = await present_ends(client, partitions)
        starts = await starts_since(client, ends, since_us or None)
        waiting = sum(ends[partition] - starts[partition] for partition in ends)
        with bar(waiting) as (progress, task):
            read = 0
            async for record in records_until_now(client, starts, ends):
                read += 1
                if read % STEP == 0:
                    progress.advance(task, STEP)
                    if stop.is_set():
                        return
                if record.timestamp * 1000 >= since_us:
                    past = past_of_record(record.value, kind=kind, timestamp_us=record.timestamp * 1000)
                    trial.add(past, f"{record.topic} {record.partition}:{record.offset}")
