"""The policy as a command needs it: the domains that `domains.yaml` names, or why it cannot be used."""

from __future__ import annotations

from pathlib import Path

import click

from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings

__all__ = ["POLICY_FILE", "policy_in", "read_policy"]


def read_policy(settings: Settings) -> Policy:
    """The policy in `SEKISHO_RULES_DIR`. Raises `ClickException` with every issue as file:line:col."""
    path = settings.rules_dir / POLICY_FILE
    if not path.exists():
        raise click.ClickException(
            f"{path}: No such file or directory. SEKISHO_RULES_DIR must name the directory that holds {POLICY_FILE}"
        )
    return policy_in(path)


def policy_in(path: Path) -> Policy:
    """The policy in a file. Raises `ClickException` with every issue as file:line:col."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    policy, issues = parse_policy(text, str(path))
    if policy is None:
        raise click.ClickException("\n".join(issue.render() for issue in issues))
    return policy
