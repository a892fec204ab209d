"""A progress bar on standard error, for commands that read a lot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from streams.cli.console import to_stderr

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: The bar is moved after so many records: each move takes as long as reading several.
STEP: Final = 500


@contextmanager
def bar(total: int) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on standard error; nothing where that is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = to_stderr()
    columns = (TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress, progress.add_task("", total=total)
