"""The file a benchmark leaves behind: what was run, on what, for how long, and the rows it gave."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, stdev
from time import process_time
from typing import Any

#: Where the committed runs lie; `python -m benchmarks.models.report` reads them.
RESULTS = Path(__file__).parents[1] / "results"
_VERSIONS = ("torch", "numpy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample deviation of one figure over runs that differ in the seed (or the fold)."""

    mean: float
    deviation: float
    runs: tuple[float, ...]

    @classmethod
    def of(cls, runs: Sequence[float]) -> Spread:
        """Of at least one run; the deviation of a single one is 0."""
        return cls(fmean(runs), stdev(runs) if len(runs) > 1 else 0.0, tuple(runs))


class Stopwatch:
    """Minutes of this process's processor time, which other work on the machine does not lengthen."""

    def __init__(self) -> None:
        self._started_s = process_time()

    def minutes(self) -> float:
        """Since it was made."""
        return (process_time() - self._started_s) / 60


def record(
    benchmark: str,
    *,
    command: str,
    seeds: Sequence[int],
    minutes: float,
    rows: Sequence[Mapping[str, Any]],
    **more: Any,  # noqa: ANN401 - whatever JSON the benchmark's own section reads
) -> dict[str, Any]:
    """A result as it is written to JSON. `command` holds no path of this machine; `minutes` are processor time."""
    return {
        "benchmark": benchmark,
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
        "seeds": list(seeds),
        "processor_minutes": round(minutes, 1),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _VERSIONS},
        "machine": f"{platform.machine()}, one thread",
        **more,
        "rows": [dict(row) for row in rows],
    }


def save(result: Mapping[str, Any], directory: Path = RESULTS) -> Path:
    """Write `<benchmark>.json` into the directory and say where."""
    path = directory / f"{result['benchmark']}.json"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def provenance(result: Mapping[str, Any]) -> str:
    """The line under a section's heading that says where its figures come from."""
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    seeds = ", ".join(map(str, result["seeds"]))
    return (
        f"{result['date']}, `{result['command']}`, seeds {seeds}, {result['processor_minutes']:g} minutes of one "
        f"processor core ({result['machine']}; {versions})."
    )
