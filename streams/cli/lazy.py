"""A click group whose subcommands are imported only when they run or are described."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click


class LazyGroup(click.Group):
    """`targets` maps a command's name to `module:attribute` of a `click.Command`.

    Commands whose package is not installed are left out: the slim image has the engine alone.
    """

    def __init__(self, *args: Any, targets: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*args, **kwargs)
        self._targets = {name: target for name, target in targets.items() if _installed(target)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order given, which is that of a newcomer's day and not the alphabet's."""
        return list(self._targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        target = self._targets.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


def _installed(target: str) -> bool:
    return find_spec(target.split(".", maxsplit=1)[0]) is not None
