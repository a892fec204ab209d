"""`sekisho models backtest`: try a model version, or another policy, on past predictions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.bar import STEP, bar
from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr
from streams.cli.policy_file import policy_in
from streams.cli.printable import printable
from streams.cli.since import Since
from streams.cli.tried_versions import Tried, with_models, with_policy

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from streams.backtest.model_trial import ModelTrial
    from streams.backtest.rescoring import Rescorer
    from streams.review.verdicts import Judgement
    from streams.settings import Settings

#: Predictions that are scored together: enough for full batches of 64 in every length bucket.
_TOGETHER = 256


@click.command("backtest")
@click.argument("tried", nargs=-1, metavar="[MODEL VERSION | DIRECTORY]...")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Least score that alerts.  [default: the metadata's]"
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Try this domains.yaml instead of a model: its thresholds, models, challengers.",
)
@click.option("--since", type=Since(), default="7d", show_default=True, help="From when on.")
@click.option("--until", type=Since(), help="Up to when.  [default: now]")
@click.option(
    "--rescore",
    is_flag=True,
    help="Run a model also where its score is recorded: shows what masked input changes.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    *,
    tried: tuple[str, ...],
    threshold: float | None,
    policy_file: Path | None,
    since: int,
    until: int | None,
    rescore: bool,
    as_json: bool,
) -> None:
    """Try model versions, or another policy, on past predictions: alerts a day, precision, new and lost alerts.

    Versions are run in this process, so live traffic does not wait for them. Recorded scores are used where there are
    any; others are made from the masked input that predictions hold, listings without their picture. Rules count as
    they fired then.

    Example: sekisho models backtest message_harassment 2 --threshold 0.87 --since 7d
    """
    if bool(tried) == (policy_file is not None):
        raise click.UsageError("give MODEL VERSION (or the DIRECTORY of a version), or --policy FILE")
    if threshold is not None and policy_file is not None:
        raise click.UsageError("--threshold goes with a model; a policy file says its own")
    from streams.backtest.model_report import as_text, report
    from streams.backtest.model_trial import ModelTrial

    settings = load_settings()
    if policy_file is not None:
        chosen = with_policy(settings, policy_in(policy_file), rescore=rescore)
    else:
        chosen = with_models(settings, tried, threshold)
    until_us = until if until is not None else time.time_ns() // 1000
    judgements: dict[str, Judgement] = {}
    trial = ModelTrial(chosen.policy, chosen.domains, judgements)
    began = time.monotonic()
    with readable_errors():
        run_until_stopped(
            lambda stop: _read(
                settings,
                trial,
                judgements=judgements,
                rescorer=_rescorer(chosen, rescore=rescore),
                since_us=since,
                until_us=until_us,
                stop=stop,
            )
        )
    if as_json:
        seconds = round(time.monotonic() - began, 2)
        click.echo(json.dumps(report(trial, chosen.labels) | {"seconds": seconds}, ensure_ascii=False))
    else:
        click.echo("\n".join(printable(line) for line in as_text(trial, chosen.labels).splitlines()))
        to_stderr().print(
            f"[dim]{sum(trial.events.values()):,} events in {time.monotonic() - began:.1f} s[/]"
        )


def _rescorer(chosen: Tried, *, rescore: bool) -> Rescorer:
    from streams.backtest.rescoring import Rescorer
    from streams.features.tokens import TextPipeline

    return Rescorer(chosen.models, TextPipeline(), even_recorded=rescore)


async def _read(
    settings: Settings,
    trial: ModelTrial,
    *,
    judgements: dict[str, Judgement],
    rescorer: Rescorer,
    since_us: int,
    until_us: int,
    stop: asyncio.Event,
) -> None:
    from streams.backtest.history import Skipped
    from streams.backtest.predicted import Predicted, predicted_of
    from streams.events import BadRecord
    from streams.kafka.clients import consumer
    from streams.review.verdicts import verdict_in, with_verdict

    waiting: list[Predicted] = []

    async def judge() -> None:
        wanted = [[one.model for one in trial.wanted(event)] for event in waiting]
        made = await asyncio.to_thread(rescorer.scores, waiting, wanted)
        for event, scores in zip(waiting, made, strict=True):
            trial.add(event, scores)
        waiting.clear()

    async with consumer(settings) as client:
        decisions, predictions = settings.topic("decisions"), settings.topic("predictions")
        async for record in _records(client, decisions, stop, since_us=since_us):
            try:
                alert_id, verdict = verdict_in(record)
            except BadRecord as error:
                trial.skip(Skipped(error.reason, f"no decision: {error.detail}"), _place(record))
                continue
            judgements[alert_id] = with_verdict(judgements.get(alert_id, ()), verdict)
        async for record in _records(client, predictions, stop, since_us=since_us, until_us=until_us):
            found = predicted_of(record.value)
            if isinstance(found, Skipped):
                trial.skip(found, _place(record))
            elif trial.is_new(found):
                waiting.append(found)
            if len(waiting) >= _TOGETHER:
                await judge()
        await judge()


async def _records(
    client: AIOKafkaConsumer,
    topic: str,
    stop: asyncio.Event,
    *,
    since_us: int,
    until_us: int | None = None,
) -> AsyncIterator[ConsumerRecord]:
    """What a topic holds from one time to another by Kafka's timestamps; what was read until `stop` is set."""
    from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since

    partitions = await assign_all(client, [topic])
    if not partitions:
        raise click.ClickException(f"there is no topic {topic}: `sekisho topics create` makes it")
    ends = await present_ends(client, partitions)
    starts = await starts_since(client, ends, since_us or None)
    if until_us is not None:
        # where the first record after that time stands; records behind it may be older, by as much as clocks differ
        stops = await starts_since(client, ends, until_us)
        ends = {partition: max(stops[partition], starts[partition]) for partition in ends}
    with bar(sum(ends[partition] - starts[partition] for partition in ends)) as (progress, task):
        read = 0
        async for record in records_until_now(client, starts, ends):
            read += 1
            if read % STEP == 0:
                progress.advance(task, STEP)
                if stop.is_set():
                    return
            at_us = record.timestamp * 1000
            if at_us >= since_us and (until_us is None or at_us < until_us):
                yield record


def _place(record: ConsumerRecord) -> str:
    return f"{record.topic} {record.partition}:{record.offset}"
