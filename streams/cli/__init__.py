"""The `sekisho` command: one file per subcommand, imported only when it is called.

A subcommand that belongs to another floor (training, the demo) is named here as text, so that nothing in
`streams` imports it.
"""

from __future__ import annotations

import click

from streams.cli.lazy import LazyGroup

#: Command name → module:attribute of a `click.Command`.
COMMANDS = {
    "demo": "demo.command:command",
    "worker": "streams.cli.worker:command",
    "up": "streams.cli.up:command",
    "topics": "streams.cli.topics:command",
    "produce": "streams.cli.produce:command",
    "alerts": "streams.cli.alerts:command",
    "calibrate": "streams.cli.calibrate:command",
    "quality": "streams.cli.quality:command",
    "compare": "streams.cli.compare:command",
    "drift": "streams.cli.drift:command",
    "rules": "streams.cli.rules:command",
    "deadletter": "streams.cli.deadletter:command",
    "archive": "streams.cli.archive:command",
    "models": "streams.cli.models:command",
    "train": "models.commands.train:command",
    "evaluate": "models.commands.evaluate:command",
    "labels": "models.commands.labels:command",
    "settings": "streams.cli.settings:command",
    "stress": "streams.cli.stress:command",
    "doctor": "streams.cli.doctor:command",
}


@click.group(cls=LazyGroup, targets=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sekisho", prog_name="sekisho")
def main() -> None:
    """Sekisho: real-time moderation for marketplaces. Events in on Kafka, alerts out on Kafka."""
