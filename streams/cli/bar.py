"""A progress bar on standard error, for commands that read a lot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.cli.console import to_stderr

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def bar(total: int) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on standard error; nothing where that is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = to_stderr()
    columns = (TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress, progress.add_task("", total=total)
