"""`sekisho quality`: how good the alerts are by what moderators decided."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import click

from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr, to_stdout
from streams.cli.reviews import read_reviews
from streams.cli.since import Since

if TYPE_CHECKING:
    from streams.policy import Policy
    from streams.review.intake import Taken
    from streams.review.quality import Quality
    from streams.settings import Settings


@click.command()
@click.option("--domain", "domains", multiple=True, help="Only this domain; may be given several times.")
@click.option(
    "--since",
    type=Since(),
    help="Alerts raised since so long ago (7d), or a time; without it, SEKISHO_REVIEW_DAYS.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(*, domains: tuple[str, ...], since: int | None, as_json: bool) -> None:
    """Show precision by moderators' verdicts: per domain, per model version and role, per rule.

    Reads the alerts' facts and the decisions from Kafka; workers need not run. What the columns mean, and how alerts
    that nobody reviewed count, stands in docs/quality.md.

    Example: sekisho quality --domain off_platform_payment --since 7d
    """
    settings = load_settings()
    policy = _policy(settings)
    with readable_errors():
        found = run_until_stopped(lambda stop: _read(settings, policy, since, stop))
    if found is None:
        raise click.Abort
    quality, taken = found
    if unknown := sorted(set(domains) - {row.source.domain for row in quality.rows}):
        to_stderr().print(f"no alerts of {', '.join(unknown)} in that time", markup=False)
    if domains:
        quality = quality.only(domains)
    if as_json:
        from streams.review.page import page_of

        click.echo(json.dumps(page_of(quality, taken), ensure_ascii=False))
        return
    from streams.cli.quality_text import quality_text

    to_stdout().print(quality_text(quality, taken))


async def _read(
    settings: Settings, policy: Policy | None, since_us: int | None, stop: asyncio.Event
) -> tuple[Quality, Taken] | None:
    """Read both topics to their end; None when stopped before."""
    from streams.review.book import DAY_US
    from streams.review.quality import Budgets, budgets_of, quality_of

    now_us = time.time_ns() // 1000
    horizon_us = (now_us - int(settings.review_days * DAY_US)) // DAY_US * DAY_US
    # From the horizon even when less is shown: else decisions on earlier alerts would look unknown.
    read_from_us = min(horizon_us, horizon_us if since_us is None else since_us)
    intake = await read_reviews(settings, stop, since_us=read_from_us)
    if stop.is_set():
        return None
    budgets = Budgets() if policy is None else budgets_of(policy)
    shown_from_us = horizon_us if since_us is None else since_us
    return quality_of(intake.book, budgets, since_us=shown_from_us, until_us=now_us), intake.taken


def _policy(settings: Settings) -> Policy | None:
    """The policy, for its budgets; None where there is no file: then there is no K."""
    from streams.cli.policy_file import POLICY_FILE, read_policy

    if not (settings.rules_dir / POLICY_FILE).exists():
        to_stderr().print(
            f"no {POLICY_FILE} in {settings.rules_dir}, so no budget and no precision@K: set SEKISHO_RULES_DIR",
            markup=False,
        )
        return None
    return read_policy(settings)
