"""What the commands of the comparisons share: the options of a recorded run, where its figures go, how it is told again."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

ROOT: Final = Path(__file__).parents[1]

Command = TypeVar("Command", bound=Callable[..., None])


def recorded_run(command: Command) -> Command:
    """Options `--broker`, `--out` and `--only-page`, as arguments `broker`, `out` and `only_page`."""
    for option in (
        click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run."),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            help="directory for JSON and page of a trial; default: those that are kept",
        ),
        click.option(
            "--broker", type=click.Choice(["kafka", "noida"]), help="default: kafka where Java is there"
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Files:
    """Where a comparison's figures are kept, as JSON and as a page for people."""

    json: Path
    page: Path

    @classmethod
    def of(cls, name: str) -> Files:
        """Those of the comparison: `benchmarks/results/<name>.json` and `docs/results/<name>.md`, hyphens in the page's."""
        page = f"{name.replace('_', '-')}.md"
        return cls(ROOT / "benchmarks" / "results" / f"{name}.json", ROOT / "docs" / "results" / page)

    def within(self, out: Path | None) -> Files:
        """The same files in a directory, if one is given."""
        return self if out is None else Files(out / self.json.name, out / self.page.name)

    def save(self, result: Mapping[str, Any]) -> None:
        """Write the figures."""
        self.json.parent.mkdir(parents=True, exist_ok=True)
        self.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def load(self) -> dict[str, Any]:
        """The figures of the last run. Raises FileNotFoundError."""
        found: dict[str, Any] = json.loads(self.json.read_text("utf-8"))
        return found

    def write_page(self, page: Callable[[Mapping[str, Any]], str]) -> None:
        """Write the page of the figures of the last run, and say so."""
        self.page.parent.mkdir(parents=True, exist_ok=True)
        self.page.write_text(page(self.load()), "utf-8")
        click.echo(f"{self.page} is written")


@contextmanager
def measuring(name: str, *, cores: int | None = None) -> Iterator[Path]:
    """A directory of the run's own, on the first so many cores, with one thread for numbers in every process."""
    logging.basicConfig(level=logging.ERROR)
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])  # every process started inherits it
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix=f"sekisho-{name}-") as directory:
        yield Path(directory)


def told_again(module: str, arguments: Sequence[str] | None = None) -> str:
    """The command of this run, without a directory of this machine."""
    kept = list(sys.argv[1:] if arguments is None else arguments)
    if "--out" in kept:
        at = kept.index("--out")
        del kept[at : at + 2]
    return " ".join([f"python -m {module}", *(word for word in kept if not word.startswith("--out="))])


def provenance(name: str, module: str, result: Mapping[str, Any]) -> tuple[str, str, str]:
    """The paragraphs under a page's title: what writes it from which file, when and where it was measured, by which command."""
    versions = ", ".join(f"{package} {number}" for package, number in result["versions"].items())
    return (
        f"*Written by `python -m {module}` from `benchmarks/results/{name}.json`; do not edit.*",
        f"{result['date']}, {result['machine']}; {versions}.",
        f"```\n{result['command']}\n```",
    )
