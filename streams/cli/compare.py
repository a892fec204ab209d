"""`sekisho compare`: which of champion and challenger is better, by what moderators decided."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import click

from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stdout
from streams.cli.reviews import read_reviews
from streams.cli.since import Since

if TYPE_CHECKING:
    from streams.policy import Domain
    from streams.review.comparison import Comparison
    from streams.settings import Settings


@click.command()
@click.option(
    "--domain", "name", required=True, help="The domain whose champion and challenger are compared."
)
@click.option(
    "--since",
    type=Since(),
    help="Alerts raised since so long ago (7d), or a time; without it, SEKISHO_REVIEW_DAYS. Never before both were "
    "there.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(*, name: str, since: int | None, as_json: bool) -> None:
    """Compare champion and challenger by moderators' verdicts, and say what to do: promote, keep or wait.

    Reads the alerts' facts and the decisions from Kafka, of a shadow the predictions too; workers need not run. How it
    counts stands in docs/champion-challenger.md.

    Example: sekisho compare --domain off_platform_payment --since 7d
    """
    from streams.cli.policy_file import read_policy

    settings = load_settings()
    domains = read_policy(settings).domains
    domain = domains.get(name)
    if domain is None:
        raise click.ClickException(f"there is no domain {name}; there are {', '.join(domains)}")
    if domain.challenger is None:
        raise click.ClickException(
            f"{name} has no challenger: write one into domains.yaml, "
            "`challenger: {model: …, version: …, threshold: …, mode: shadow}`"
        )
    with readable_errors():
        read = run_until_stopped(lambda stop: _compared(settings, domain, since, stop))
    if read is None:
        raise click.Abort
    found, unreadable = read
    from streams.cli.compare_text import comparison_json, comparison_text

    if as_json:
        click.echo(json.dumps(comparison_json(found, unreadable=unreadable), ensure_ascii=False))
    else:
        to_stdout().print(comparison_text(found, unreadable=unreadable))


async def _compared(
    settings: Settings, domain: Domain, since_us: int | None, stop: asyncio.Event
) -> tuple[Comparison, int] | None:
    """The comparison, and how many records could not be read; None when stopped before."""
    from streams.kafka.shared_log import SharedLog
    from streams.review.book import DAY_US
    from streams.review.comparison import compared
    from streams.review.watched import Watched

    now_us = time.time_ns() // 1000
    begin_us = now_us - int(settings.review_days * DAY_US) if since_us is None else since_us
    intake = await read_reviews(settings, stop, since_us=begin_us)
    watched = None
    if domain.trial.mode == "shadow" and domain.challenger is not None:
        watched = Watched(domain.name, domain.challenger)
        predictions = SharedLog(
            settings, (settings.topic("predictions"),), fold=watched.fold, since_us=begin_us
        )
        await predictions.read_to_end(stop)
    if stop.is_set():
        return None
    unreadable = intake.taken.unreadable + (watched.unreadable if watched else 0)
    return compared(domain, intake.book, watched, since_us=begin_us, until_us=now_us), unreadable
