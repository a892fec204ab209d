"""All axes asked for, in rounds: every case has its turn in each, in another order every time."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.end_to_end.brokers import BrokerChoice, broker_version
from benchmarks.rules.machine import machine
from benchmarks.scaling import held_conversations, message_axes
from benchmarks.scaling.case import Case, Sizes
from benchmarks.scaling.measuring import PARTITIONS, Run, measure
from benchmarks.scaling.pictures import PictureServer, images
from benchmarks.scaling.workshop import Workshop

MESSAGE_AXES: Mapping[str, Callable[[Workshop], Iterator[Case]]] = {
    "domains": message_axes.domains,
    "rules": message_axes.rules,
    "conversations": held_conversations.conversations,
    "workers": message_axes.workers,
    "lengths": message_axes.lengths,
}
AXES = (*MESSAGE_AXES, "images")
_PACKAGES = ("faust-streaming", "aiokafka", "tritonclient", "onnxruntime", "nvidia-pytriton", "numpy")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and where."""

    axes: tuple[str, ...]
    repeats: int
    sizes: Sizes
    broker: BrokerChoice
    directory: Path
    cores: int
    command: str


def carry_out(plan: Plan, say: Callable[[str], object]) -> Iterator[dict[str, Any]]:
    """After each round, the axes of the plan by name as the JSON that is kept, the rounds before it included.

    Raises what `measure` raises.
    """
    with ExitStack() as stack:
        workshop = Workshop(plan.directory, plan.sizes, plan.cores)
        cases = [case for axis in plan.axes if axis in MESSAGE_AXES for case in MESSAGE_AXES[axis](workshop)]
        pictures = None
        if "images" in plan.axes:
            pictures = stack.enter_context(PictureServer())
            cases += images(workshop, pictures)
        runs: list[list[Run]] = [[] for _ in cases]
        for number in range(plan.repeats):
            for at in turns(len(cases), number):
                run = _one(cases[at], plan)
                runs[at].append(run)
                say(f"{number + 1}/{plan.repeats} {told(cases[at], run)}")
            yield {
                axis: {
                    **_surroundings(plan),
                    **(
                        {"picture_bytes": round(pictures.mean_bytes)} if pictures and axis == "images" else {}
                    ),
                    "cases": [
                        _case(case, of_case)
                        for case, of_case in zip(cases, runs, strict=True)
                        if case.axis == axis
                    ],
                }
                for axis in plan.axes
            }


def _surroundings(plan: Plan) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": plan.command,
        "machine": machine(),
        "versions": {
            "Python": platform.python_version(),
            "broker": broker_version(plan.broker),
            **{name: version(name) for name in _PACKAGES},
        },
        "partitions": PARTITIONS,
    }


def turns(cases: int, round_number: int) -> Iterable[int]:
    """The order of a round: forwards from another place each time, and backwards in every other round."""
    order = [(at + round_number) % cases for at in range(cases)]
    return order if round_number % 2 == 0 else order[::-1]


def told(case: Case, run: Run) -> str:
    """A line about a run for whoever waits."""
    parts = [
        f"{name}: {part.events_per_s:,.0f}/s, "
        + ", ".join(f"{role} {us:,.0f} µs" for role, us in part.cpu_us.items())
        for name, part in run.parts.items()
    ]
    return f"{case.axis}, {case.title}: {'; '.join(parts)}"


def _one(case: Case, plan: Plan) -> Run:
    directory = plan.directory / "run"
    directory.mkdir()
    try:
        return asyncio.run(measure(case, plan.broker, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _case(case: Case, runs: list[Run]) -> dict[str, Any]:
    return {
        "at": case.at,
        "title": case.title,
        "workers": case.workers,
        "cores": case.cores,
        "conversations": case.conversations,
        "store": case.store,
        "events": {name: len(events) for name, events in case.traffic.items()},
        "runs": [_rounded(asdict(run)) for run in runs],
    }


def _rounded(value: Any) -> Any:  # noqa: ANN401 - as JSON has it
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value
