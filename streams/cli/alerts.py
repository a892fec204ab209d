"""`sekisho alerts`: follow the alert topics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from streams.cli.alert_text import alert_text
from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr, to_stdout
from streams.cli.since import Since

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from streams.settings import Settings


@click.command()
@click.option("--domain", "domains", multiple=True, help="Only this domain; may be given several times.")
@click.option(
    "--since",
    type=Since(),
    help="Begin so long ago (90s, 10m, 2h, 3d), at a time, or at the `start`; without it, now.",
)
@click.option("--count", "limit", type=click.IntRange(min=1), help="Stop after so many alerts.")
@click.option("--follow/--no-follow", default=True, help="Wait for new alerts at the end, or stop there.")
@click.option(
    "--json", "as_json", is_flag=True, help="Each alert as one line of JSON, as it stands in Kafka."
)
def command(
    *, domains: tuple[str, ...], since: int | None, limit: int | None, follow: bool, as_json: bool
) -> None:
    """Show alerts as they come: domain, rule or model, score, and the words that gave it away.

    Example: sekisho alerts --domain off_platform_payment --since 1h
    """
    settings = load_settings()

    async def show(stop: asyncio.Event) -> None:
        console = to_stdout()
        shown = 0
        async for record in _alerts(settings, domains, since, follow=follow, stop=stop):
            if as_json:
                click.echo((record.value or b"").decode("utf-8", "replace"))
            else:
                console.print(_readable(record))
            shown += 1
            if shown == limit:
                return

    with readable_errors():
        run_until_stopped(show)


def _readable(record: ConsumerRecord) -> object:
    try:
        body = json.loads(record.value or b"")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return f"{record.topic} {record.partition}:{record.offset} is not an alert"
    return alert_text(body)


async def _alerts(
    settings: Settings, domains: tuple[str, ...], since: int | None, *, follow: bool, stop: asyncio.Event
) -> AsyncIterator[ConsumerRecord]:
    from streams.kafka.clients import consumer
    from streams.kafka.reading import assign_all, present_ends, records_until_now, starts_since

    async with consumer(settings) as client:
        topics = await _topics(client, settings, domains)
        ends = await present_ends(client, await assign_all(client, topics))
        if since is not None:
            starts = await starts_since(client, ends, since or None)
            async for record in records_until_now(client, starts, ends):
                if record.timestamp * 1000 >= since:
                    yield record
                if stop.is_set():
                    return
        elif follow:
            to_stderr().print(
                f"[dim]waiting for alerts on {len(topics)} topics; --since 1h shows earlier ones[/]"
            )
        while follow and not stop.is_set():
            for record in await _next_batch(client):
                yield record


async def _next_batch(client: AIOKafkaConsumer) -> list[ConsumerRecord]:
    batches: dict[TopicPartition, list[ConsumerRecord]] = await client.getmany(timeout_ms=200)
    return sorted((r for records in batches.values() for r in records), key=lambda record: record.timestamp)


async def _topics(client: AIOKafkaConsumer, settings: Settings, domains: tuple[str, ...]) -> list[str]:
    """The alert topics that exist, of these domains or all. Raises `ClickException` for one that does not exist."""
    from streams.kafka.clients import existing_topics

    prefix = settings.topic("alerts.")
    existing = sorted(topic for topic in await existing_topics(client) if topic.startswith(prefix))
    if not existing:
        raise click.ClickException(
            f"there is no topic {prefix}* on {settings.broker}: `sekisho topics create` makes them"
        )
    if not domains:
        return existing
    wanted = [f"{prefix}{domain}" for domain in domains]
    missing = [topic for topic in wanted if topic not in existing]
    if missing:
        known = ", ".join(topic.removeprefix(prefix) for topic in existing)
        raise click.ClickException(f"there is no topic {missing[0]}; domains with a topic: {known}")
    return wanted
