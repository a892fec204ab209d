"""`sekisho topics`: make the Kafka topics, or compare what is there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from streams.cli.console import load_settings, readable_errors, to_stderr, to_stdout

if TYPE_CHECKING:
    from streams.kafka.topics import Difference, Outcome, TopicSpec
    from streams.settings import Settings

_RESULT_STYLE = {"created": "green", "exists": "dim", "failed": "bold red"}


@click.group()
def command() -> None:
    """Make the Kafka topics of the contract, or compare what is there."""


@command.command("create")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def create_command(*, as_json: bool) -> None:
    """Make every topic that is missing; topics that exist are left as they are.

    The alert topics are those of the domains in rules/domains.yaml. Run it again after adding a domain.

    Example: SEKISHO_PARTITIONS=16 SEKISHO_REPLICATION_FACTOR=3 sekisho topics create
    """
    from streams.kafka.topics import create

    settings = load_settings()
    specs = _specs(settings)
    with readable_errors():
        outcomes = asyncio.run(create(settings, specs))
    failed = [outcome for outcome in outcomes if outcome.result == "failed"]
    if as_json:
        click.echo(json.dumps({"topics": [asdict(outcome) for outcome in outcomes]}))
    else:
        to_stdout().print(_outcome_table(outcomes))
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(outcomes)} topics could not be made")


@command.command("describe")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def describe_command(*, as_json: bool) -> None:
    """Compare the broker's topics with what they should be; exit 1 when they differ.

    Example: sekisho topics describe
    """
    from streams.kafka.topics import describe

    settings = load_settings()
    specs = _specs(settings)
    with readable_errors():
        differences = asyncio.run(describe(settings, specs))
    wrong = [difference for difference in differences if not difference.unknown]
    if as_json:
        topics = [{**asdict(spec), "config": dict(spec.config)} for spec in specs]
        click.echo(json.dumps({"topics": topics, "differences": [asdict(d) for d in differences]}))
    else:
        to_stdout().print(_spec_table(specs, differences))
    untold = {difference.topic for difference in differences if difference.unknown}
    if untold and not as_json:
        to_stderr().print(
            f"[yellow]note:[/] the broker does not tell the configuration of {len(untold)} topics (unsupported, "
            "or this client may not ask); it was not compared"
        )
    if wrong:
        topics_wrong = len({difference.topic for difference in wrong})
        raise click.ClickException(
            f"{topics_wrong} topics are not as they should be. `sekisho topics create` makes the missing ones; "
            "existing ones are changed with Kafka's own tools, because more partitions move keys"
        )


def _specs(settings: Settings) -> tuple[TopicSpec, ...]:
    from streams.cli.policy_file import read_policy
    from streams.kafka.topics import catalogue

    return catalogue(settings, read_policy(settings).domains)


def _outcome_table(outcomes: list[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("topic", "result", ""):
        table.add_column(heading)
    for outcome in outcomes:
        style = _RESULT_STYLE[outcome.result]
        table.add_row(Text(outcome.topic), Text(outcome.result, style=style), Text(outcome.detail))
    return table


def _spec_table(specs: tuple[TopicSpec, ...], differences: list[Difference]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("topic", "partitions", "kept", "state"):
        table.add_column(heading)
    by_topic: dict[str, list[Difference]] = {}
    for difference in differences:
        by_topic.setdefault(difference.topic, []).append(difference)
    for spec in specs:
        state = Text("\n").join(_state(difference) for difference in by_topic.get(spec.name, [])) or Text(
            "ok", style="green"
        )
        table.add_row(Text(spec.name), str(spec.partitions), _kept(spec), state)
    return table


def _kept(spec: TopicSpec) -> str:
    retention = spec.config.get("retention.ms")
    return "compacted" if retention is None else f"{int(retention) // (24 * 3600 * 1000)} days"


def _state(difference: Difference) -> Text:
    if difference.unknown:
        return Text(f"{difference.aspect}: {difference.found}", style="dim")
    if difference.aspect == "topic":
        return Text("missing", style="bold red")
    return Text(f"{difference.aspect}: {difference.found}, should be {difference.expected}", style="red")
