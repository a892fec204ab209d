"""`sekisho rules`: check rule files, run their tests, and explain what fires on an event."""

from __future__ import annotations

import click

from streams.cli.lazy import LazyGroup


@click.group(
    name="rules",
    cls=LazyGroup,
    targets={name: f"streams.cli.rule_commands:{name}" for name in ("check", "test", "explain", "accept")},
)
def command() -> None:
    """Check, test and explain moderation rules.

    Example: sekisho rules check rules/
    """
