"""`sekisho rules`: check rule files, run their tests, explain what fires on an event, try rules on history."""

from __future__ import annotations

import click

from streams.cli.lazy import LazyGroup


@click.group(
    name="rules",
    cls=LazyGroup,
    targets={
        "check": "streams.cli.rule_commands:check",
        "test": "streams.cli.rule_commands:test",
        "explain": "streams.cli.rule_explain:explain",
        "backtest": "streams.cli.rule_backtest:backtest",
        "accept": "streams.cli.rule_commands:accept",
    },
)
def command() -> None:
    """Check, test, explain and backtest moderation rules.

    Example: sekisho rules check rules/
    """
