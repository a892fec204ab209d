"""`sekisho calibrate`: the thresholds that keep a domain's alerts at what its moderators can review."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Literal

import click

from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr, to_stdout
from streams.cli.reviews import read_reviews
from streams.cli.since import Since

if TYPE_CHECKING:
    from pathlib import Path

    from streams.alerts import Role
    from streams.budgets.calibration import Calibration
    from streams.policy import Policy
    from streams.settings import Settings

#: Days looked back without --since: a whole week has every weekday once.
DAYS = 7


@click.command()
@click.option("--domain", required=True, help="The domain of domains.yaml.")
@click.option(
    "--since",
    type=Since(),
    help="Counts since so long ago (3d), or a time.  [default: 7d]",
    default=f"{DAYS}d",
)
@click.option(
    "--role",
    type=click.Choice(["champion", "challenger", "both"]),
    default="both",
    show_default=True,
    help="Whose threshold.",
)
@click.option("--write", is_flag=True, help="Put the thresholds into domains.yaml; comments stay.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    *,
    domain: str,
    since: int,
    role: Literal["champion", "challenger", "both"],
    write: bool,
    as_json: bool,
) -> None:
    """Propose the threshold that gives as many alerts a day as the domain's budget allows.

    Reads what all workers counted, hour by hour, and moderators' verdicts; workers need not run. Whole days of 24 hours
    are taken, back from the last full hour. How it is computed stands in docs/budgets.md.

    Example: sekisho calibrate --domain harassment --since 7d
    """
    from streams.cli.calibrate_text import calibration_record, calibration_text
    from streams.cli.policy_file import POLICY_FILE, read_policy

    settings = load_settings()
    policy = read_policy(settings)
    if domain not in policy.domains:
        raise click.ClickException(
            f"there is no domain {domain} in domains.yaml, but {', '.join(sorted(policy.domains))}"
        )
    roles: tuple[Role, ...] = ("champion", "challenger") if role == "both" else (role,)
    with readable_errors():
        found = run_until_stopped(lambda stop: _calibrated(settings, policy, domain, since, roles, stop))
    if found is None:
        raise click.Abort
    if as_json:
        click.echo(json.dumps(calibration_record(found), ensure_ascii=False))
    else:
        to_stdout().print(calibration_text(found))
    if write:
        write_thresholds(settings.rules_dir / POLICY_FILE, found)


async def _calibrated(  # noqa: PLR0917 - each is what the command was asked
    settings: Settings,
    policy: Policy,
    domain: str,
    since_us: int,
    roles: tuple[Role, ...],
    stop: asyncio.Event,
) -> Calibration | None:
    """Read counts, alerts and verdicts to their ends; None when stopped before."""
    from streams.budgets.calibration import calibrate, first_hour, whole_days
    from streams.budgets.rolling_day import HOURS
    from streams.kafka.shared_log import SharedLog
    from streams.statistics.book import StatisticsBook
    from streams.statistics.records import HOUR_US, hour_of

    now_us = time.time_ns() // 1000
    now_hour, since_hour = hour_of(now_us), first_hour(since_us, now_us=now_us)
    if now_hour - since_hour < HOURS:
        raise click.ClickException(f"--since is less than a day ago: whole days of {HOURS} hours are taken")
    since_us = max(0, since_hour * HOUR_US)
    counts = StatisticsBook()
    counts.forget_before(since_hour)

    await SharedLog(
        settings, (settings.topic("statistics"),), fold=counts.fold_all, since_us=since_us
    ).read_to_end(stop)
    review = await read_reviews(settings, stop, since_us=since_us)
    if stop.is_set():
        return None
    days = whole_days(counts.hours(), now_hour=now_hour, since_hour=since_hour)
    oldest_us = min((hours[0] for hours in days), default=0) * HOUR_US
    cases = [
        case
        for case in review.book.all_cases()
        if case.fact.domain == domain and case.fact.raised_at_us >= oldest_us
    ]
    try:
        return calibrate(
            policy.domains[domain],
            counts,
            days,
            roles=roles,
            cases=cases,
            most_share=policy.valve.max_share,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def write_thresholds(path: Path, found: Calibration) -> None:
    """Put the proposed thresholds into domains.yaml.

    Raises `ClickException` when a model's threshold is not written, having written those of the others."""
    from streams.cli.policy_file import rewrite_policy
    from streams.inference.promotion import with_thresholds

    thresholds = {one.role: one.threshold for one in found.proposals if one.refusal is None}
    if thresholds:
        rewrite_policy(path, lambda text: with_thresholds(text, found.domain.name, thresholds))
        to_stderr().print(
            f"{', '.join(thresholds)}: written to {path}; running workers take it up by themselves",
            markup=False,
        )
    if refused := [one for one in found.proposals if one.refusal is not None]:
        raise click.ClickException(
            "\n".join(
                f"the threshold of {one.reference.model}/{one.reference.version} ({one.role}) is not written: "
                f"{one.refusal}"
                for one in refused
            )
        )
