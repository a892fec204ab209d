"""Shows a run on the terminal: a bar for people who watch, plain lines for logs."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from models.training.course import Epoch

_TITLES: Final = {
    "reading": "reading the data",
    "features": "words and pictures",
    "training": "training",
    "measuring": "measuring and exporting",
}
#: Every further mention of the bar costs a redraw; ten a second is as much as anybody sees.
_REDRAWS_PER_S: Final = 10


class Shown:
    """A `Listener` that writes to a console; to be used in a `with`, which takes the bar away at the end."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=_REDRAWS_PER_S,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Shown:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        self._console.print(f"{self._name}: {line}", markup=False)

    def stage(self, name: str) -> None:
        """Begin a bar of its own; without a terminal, a line."""
        title = _TITLES.get(name, name)
        if self._progress.disable:
            self.say(title)
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(f"{self._name}: {title}", total=None)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total, refresh=done == total)

    def epoch(self, epoch: Epoch) -> None:
        """A line an epoch, bar or not: the losses are what one looks back at."""
        self.say(
            f"epoch {epoch.number}: training loss {epoch.training_loss:.4f}, validation {epoch.validation_loss:.4f}"
        )
