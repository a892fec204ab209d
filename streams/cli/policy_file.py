"""The policy as a command needs it: the domains that `domains.yaml` names, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings

__all__ = ["POLICY_FILE", "policy_in", "read_policy", "rewrite_policy"]


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


def rewrite_policy(path: Path, edited: Callable[[str], str]) -> None:
    """Give the file the text that `edited` makes of it, whole or not at all: workers watch it.

    Raises `ClickException` when it cannot be read or edited, or would not be a policy any more.
    """
    from streams.inference.durable import replace_text
    from streams.inference.promotion import NoChampionError

    try:
        text = edited(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    except NoChampionError as error:
        raise click.ClickException(f"{path}: {error}") from error
    policy, issues = parse_policy(text.encode("utf-8"), str(path))
    if policy is None:
        raise click.ClickException("\n".join(issue.render() for issue in issues))
    replace_text(path, text)
