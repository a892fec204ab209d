"""The `sekisho` command: one file per subcommand, imported only when it is called.

A subcommand that belongs to another floor (training, the demo) is named here as text, so that nothing in
`streams` imports it.
"""

from __future__ import annotations

from importlib import import_module

import click

#: Command name → module:attribute of a `click.Command`.
COMMANDS = {
    "demo": "demo.command:command",
    "worker": "streams.cli.worker:command",
    "up": "streams.cli.up:command",
    "topics": "streams.cli.topics:command",
    "produce": "streams.cli.produce:command",
    "alerts": "streams.cli.alerts:command",
    "rules": "streams.cli.rules:command",
    "deadletter": "streams.cli.deadletter:command",
    "models": "streams.cli.models:command",
    "settings": "streams.cli.settings:command",
    "doctor": "streams.cli.doctor:command",
}


class LazyGroup(click.Group):
    """A click group that imports a subcommand's module only when that subcommand runs or is described."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names in the order of a newcomer's day, not the alphabet's."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sekisho", prog_name="sekisho")
def main() -> None:
    """Sekisho: real-time moderation for marketplaces. Events in on Kafka, alerts out on Kafka."""
