"""`sekisho drift`: whether traffic and models still are what they were."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import click

from streams.cli.console import load_settings, readable_errors, run_until_stopped
from streams.cli.policy_file import read_policy
from streams.cli.reviews import read_reviews
from streams.cli.since import Since

if TYPE_CHECKING:
    from streams.drift.assessment import Assessment
    from streams.drift.periods import Periods
    from streams.drift.precision import PrecisionDrift
    from streams.drift.words import WordDrift
    from streams.policy import Policy
    from streams.settings import Settings


@click.command()
@click.option("--domain", help="Only the scores and alerts of this domain; inputs are of all.")
@click.option(
    "--since", type=Since(), default="1d", show_default=True, help="Where the current period begins (6h, 7d)."
)
@click.option(
    "--reference",
    type=Since(),
    default="29d",
    show_default=True,
    help="Where the reference begins; it ends where the current period begins.",
)
@click.option(
    "--words",
    "with_words",
    is_flag=True,
    help="Also the words that the models do not know, over a sample of predictions; needs the models' files.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(*, domain: str | None, since: int, reference: int, with_words: bool, as_json: bool) -> None:
    """Compare scores, inputs and confirmed alerts of now with those before: what moved, by how much, what to do.

    Example: sekisho drift --since 1d --reference 29d
    """
    from streams.drift.periods import between
    from streams.drift.report import report
    from streams.drift.wording import as_text

    settings = load_settings()
    policy = read_policy(settings)
    if domain is not None and domain not in policy.domains:
        raise click.BadParameter(f"domains are {', '.join(sorted(policy.domains))}", param_hint="--domain")
    try:
        periods = between(reference, since, time.time_ns() // 1000)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with readable_errors():
        found = run_until_stopped(
            lambda stop: _compared(settings, policy, periods, domain, stop, with_words=with_words)
        )
    click.echo(json.dumps(report(found), ensure_ascii=False) if as_json else as_text(found))


async def _compared(
    settings: Settings,
    policy: Policy,
    periods: Periods,
    domain: str | None,
    stop: asyncio.Event,
    *,
    with_words: bool,
) -> Assessment:
    from streams.agents.word_sampling import NoVocabularyError, vocabularies, word_drift
    from streams.drift.assessment import assess
    from streams.drift.intake import StatisticsIntake
    from streams.features.tokens import TextPipeline
    from streams.kafka.shared_log import SharedLog

    try:
        known = vocabularies(settings.model_repository, policy, domain=domain) if with_words else {}
    except NoVocabularyError as error:
        raise click.ClickException(f"--words reads the models' files. {error}") from error
    intake = StatisticsIntake()
    # A record is written until its hour is over, so none of the reference is older than its beginning.
    since_us = periods.span_us(current=False)[0]
    await SharedLog(
        settings, [settings.topic("statistics")], fold=intake.fold, since_us=since_us
    ).read_to_end(stop)
    if intake.unreadable:
        click.echo(f"records of statistics that could not be read: {intake.unreadable}", err=True)
    words: tuple[WordDrift, ...] = ()
    if with_words:
        words = await word_drift(settings, periods, known, text=TextPipeline(), stop=stop)
    precision = await _precision(settings, periods, stop)
    return assess(intake.book, periods, precision=precision, words=words, domain=domain)


async def _precision(settings: Settings, periods: Periods, stop: asyncio.Event) -> tuple[PrecisionDrift, ...]:
    from streams.drift.precision import precision_drift
    from streams.review.book import DAY_US
    from streams.review.quality import Budgets, day_quality

    since_us = int(time.time_ns() // 1000 - settings.review_days * DAY_US) // DAY_US * DAY_US
    intake = await read_reviews(settings, stop, since_us=since_us)
    tallies = {day: day_quality(intake.book.cases(day), Budgets()).tallies for day in intake.book.days}
    return precision_drift(tallies, today=periods.span_us(current=True)[1] // DAY_US)
