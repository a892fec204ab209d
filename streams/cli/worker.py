"""`sekisho worker`: consume, screen, alert, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import click

logger = logging.getLogger(__name__)


@click.command(
    epilog="Example: SEKISHO_BROKER=kafka:9092 SEKISHO_TRITON=triton:8001 sekisho worker",
)
def command() -> None:
    """Run a worker: events from Kafka through rules and models to alerts on Kafka.

    Stops on SIGTERM or Ctrl-C after finishing and committing what is in flight. Exit code 0: told to stop; 1: an
    error that it could not go past; 2: could not start, with the reason; 3: stood still although records waited.
    """
    from streams import logs
    from streams.cli.console import load_settings, unknown_variables
    from streams.kafka.security import SecuritySettingsError
    from streams.rulebook import RulebookRefused
    from streams.worker import NotReadyToStart, Worker

    try:
        settings = load_settings()
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    logs.set_up(settings.log_level, as_json=settings.log_format == "json")
    for sentence in unknown_variables(os.environ):
        logger.warning("%s", sentence)

    async def run() -> int:
        try:
            worker = Worker(settings)
        except ValueError as error:  # a Triton address or certificate file that cannot be used
            raise NotReadyToStart(str(error)) from error
        return await worker.run(then_ends=True)

    try:
        sys.exit(asyncio.run(run()))
    except RulebookRefused as refused:
        for issue in refused.issues:
            click.echo(issue.render(), err=True)
        sys.exit(2)
    except (NotReadyToStart, SecuritySettingsError, OSError) as error:
        click.echo(f"sekisho worker: {error}", err=True)
        sys.exit(2)
