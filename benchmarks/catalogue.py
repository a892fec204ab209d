"""The comparisons that `make bench` runs: what each measures, how it is started, and where its figures go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One benchmark with a command, a JSON file of results, and a page made of it.

    `python -m <module>` measures, without arguments for the run to keep and with those of `trial` for a look whether it
    works, which takes `--out DIR` too; None where there is no such look. `data` is the option that takes a file of
    conversations. `page` of the module `report` gives a page as Markdown for what is in the file; None for a comparison
    that is shown on another page only, `shown_on`.
    """

    name: str
    title: str
    module: str
    report: str | None
    file: str
    trial: tuple[str, ...] | None = None
    data: str | None = None
    shown_on: str | None = None

    @property
    def there(self) -> bool:
        """Whether it can be run and its result shown."""
        found = find_spec(self.module)
        if found is None or (self.report is not None and find_spec(self.report) is None):
            return False
        is_package = found.submodule_search_locations is not None
        return not is_package or find_spec(f"{self.module}.__main__") is not None

    def result(self, directory: Path = RESULTS) -> Mapping[str, Any] | None:
        """What its last run left, or None."""
        path = directory / f"{self.file}.json"
        if not path.exists():
            return None
        found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def page(self, result: Mapping[str, Any]) -> str:
        """The result as the benchmark's own page shows it, or where it is shown."""
        if self.report is None:
            return f"# {self.title}\n\nMeasured {result['date']}: [{self.shown_on}]({self.shown_on}).\n"
        text: str = import_module(self.report).page(result)
        return text


def _own(
    name: str,
    title: str,
    *,
    trial: tuple[str, ...] | None = None,
    data: str | None = None,
    file: str | None = None,
) -> Comparison:
    """A package with a command, and its page in a module `report`."""
    module = f"benchmarks.{name}"
    return Comparison(name, title, module, f"{module}.report", file or name, trial, data)


#: In the order in which they are run and shown. Those about the quality of models have a page of their own
#: (`benchmarks.models.report`): they need data sets that are no part of this repository.
COMPARISONS = (
    _own(
        "end_to_end",
        "End to end, beside what a user would pick instead",
        trial=("--messages", "2000", "--repeats", "1"),
        data="--data",
    ),
    _own(
        "latency",
        "From event to alert",
        trial=("--seconds", "5", "--trial-s", "5", "--repeats", "1"),
    ),
    _own("scaling", "Scaling", trial=("--trial", "--repeats", "1")),
    _own("backpressure", "A slow Triton, and one that hangs", trial=("--rate", "20", "--seconds", "5")),
    Comparison(
        "trunk_cost",
        "Many domains on one trunk",
        "benchmarks.models.trunk_cost",
        report=None,
        file="trunk_cost",
        shown_on="shared-trunk.md",
    ),
    _own("rules", "The rule engine", data="--texts", file="rules-speed"),
)


def by_name(names: str) -> tuple[Comparison, ...]:
    """Those named, with commas between them, in their order here. Raises KeyError with the names that are none."""
    asked = set(names.split(","))
    unknown = asked - {comparison.name for comparison in COMPARISONS}
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    return tuple(comparison for comparison in COMPARISONS if comparison.name in asked)
