"""The whole measurement: same answers first, then rounds in which every system has its turn, in another order each time."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.end_to_end import measuring
from benchmarks.end_to_end.answers import Answers, differences, missing, shown
from benchmarks.end_to_end.brokers import Broker, BrokerChoice, broker_version, running
from benchmarks.end_to_end.measuring import Run
from benchmarks.end_to_end.quix_environment import quix_version
from benchmarks.end_to_end.stages import Profile
from benchmarks.end_to_end.stages import available as stages_available
from benchmarks.end_to_end.systems import ROOT, SYSTEMS, System, Task
from benchmarks.end_to_end.worker_metrics import batch_rows, put_aside, stage_seconds
from benchmarks.end_to_end.workload import (
    Record,
    described,
    made_rules,
    message_domains,
    messages,
    messages_of_file,
    write_messages,
    write_rules,
)
from benchmarks.rules.machine import machine
from streams.inference.contracts import ModelVersion
from streams.policy import POLICY_FILE
from streams.settings import Settings

IN_PROCESS, IN_PROCESS_2 = "in_process", "in_process_2"
NAMES = (*SYSTEMS, IN_PROCESS, IN_PROCESS_2)
_SEED = 2026
_PARTITIONS = 8
#: Stock Faust may lose messages while its table recovers at the start (tests/regression/faust). They are counted.
_MAY_LOSE = frozenset({"faust"})
_PACKAGES = (
    "faust-streaming", "aiokafka", "tritonclient", "onnxruntime", "fastapi", "uvicorn", "aiohttp", "numpy",
)  # fmt: skip


class AnswersDiffer(Exception):
    """A system does not do the same work; its speed would mean nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. `checked` messages are answered by every system before the timing."""

    messages: int
    repeats: int
    rules: int
    systems: tuple[str, ...]
    broker: BrokerChoice
    checked: int
    data: Path | None
    directory: Path
    cores: int


class _Bench:
    """The parts that all runs share. Without a broker every run gets one of its own."""

    def __init__(self, plan: Plan, broker: Broker | None) -> None:
        self._plan = plan
        self._broker = broker
        self._domains = message_domains(ROOT / "rules" / POLICY_FILE)
        self._rules_dir = plan.directory / "rules"
        self._repository = ROOT / "triton_repo"
        self._runs = 0
        write_rules(self._rules_dir, made_rules(plan.rules), self._domains)

    async def run(self, name: str, records: Sequence[Record], *, profiled: bool = False) -> Run:
        """One run of one system in a directory and on topics of its own."""
        self._runs += 1
        directory = self._plan.directory / f"run{self._runs}"
        directory.mkdir()
        if name in (IN_PROCESS, IN_PROCESS_2):
            write_messages(records, directory / "messages")
            return await measuring.in_process(
                directory,
                self._rules_dir,
                self._repository,
                rows=Settings().batch_rows,
                processes=2 if name == IN_PROCESS_2 else 1,
            )
        with ExitStack() as stack:
            # noida-db writes all it holds again every second, so the next run would pay for those before it.
            broker = self._broker or stack.enter_context(running(self._plan.broker, directory / "broker"))
            profile = Profile(directory / "stacks") if profiled else None
            return await self._run_on(broker, SYSTEMS[name], records, directory, profile)

    async def _run_on(
        self,
        broker: Broker,
        system: System,
        records: Sequence[Record],
        directory: Path,
        profile: Profile | None,
    ) -> Run:
        settings = Settings(
            broker=broker.bootstrap,
            topic_prefix=f"run{self._runs}.",
            partitions=_PARTITIONS,
            rules_dir=self._rules_dir,
            model_repository=self._repository,
            data_dir=directory,
        )
        models = tuple(
            ModelVersion(domain.champion.model, domain.champion.version)
            for domain in self._domains.values()
            if domain.champion is not None
        )
        return await measuring.run(
            system, Task(settings, models), records, sorted(self._domains), broker.pids, profile=profile
        )


async def compare(plan: Plan, say: Callable[[str], object]) -> dict[str, Any]:
    """Everything the plan says, as the JSON that is kept. Raises `AnswersDiffer`."""
    records = messages_of_file(plan.data, plan.messages) if plan.data else messages(plan.messages, seed=_SEED)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in plan.systems}
    with ExitStack() as stack:
        broker = (
            stack.enter_context(running("kafka", plan.directory / "broker"))
            if plan.broker == "kafka"
            else None
        )
        bench = _Bench(plan, broker)
        expected = (await bench.run(IN_PROCESS, records[: plan.checked])).answers
        for name in plan.systems:
            lost = _compared(name, expected, (await bench.run(name, records[: plan.checked])).answers)
            say(
                f"{name}: the same answers to {plan.checked - lost} messages"
                + (f", {lost} lost" if lost else "")
            )
        expected = (await bench.run(IN_PROCESS, records)).answers
        for turn in range(plan.repeats):
            first = turn % len(plan.systems)
            for name in (*plan.systems[first:], *plan.systems[:first]):
                measured = await bench.run(name, records)
                lost = _compared(name, expected, measured.answers)
                rows[name].append(_row(measured, lost))
                say(
                    f"{turn + 1}/{plan.repeats} {name}: {measured.messages_per_s:,.0f} messages/s, "
                    + ", ".join(f"{role} {us:,.0f} µs" for role, us in measured.cpu_us.items())
                )
        stages = {}
        if "sekisho" in plan.systems and stages_available():
            stages = (await bench.run("sekisho", records, profiled=True)).stages
    return {
        "benchmark": "end_to_end",
        "date": datetime.now(UTC).date().isoformat(),
        "command": " ".join(["python -m benchmarks.end_to_end", *_arguments()]),
        "machine": f"{machine()}; confined to {plan.cores} cores",
        "versions": {
            "Python": platform.python_version(),
            "broker": broker_version(plan.broker),
            "quixstreams": quix_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "messages": described(records) | {"alerted_share": expected.alerted / len(expected.verdicts)},
        "rules": plan.rules,
        "partitions": _PARTITIONS,
        "checked": plan.checked,
        "runs": rows,
        "stages": {stage: round(share, 4) for stage, share in stages.items()},
    }


def _compared(name: str, expected: Answers, found: Answers) -> int:
    """Messages without an answer, for a system that is known to lose some. Raises `AnswersDiffer`."""
    lost = missing(expected, found)
    told = differences(expected, found)
    if lost and name not in _MAY_LOSE:
        told.append(f"{lost} messages have no answer")
    # A lost message is missing in the windows of those after it.
    if told and not (lost and name in _MAY_LOSE):
        raise AnswersDiffer(f"{name} does not answer as the in-process loop does:\n{shown(told)}")
    return lost


def _row(measured: Run, lost: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "messages": measured.messages,
        "seconds": round(measured.seconds, 3),
        "messages_per_s": round(measured.messages_per_s, 1),
        "cpu_us": {role: round(us, 1) for role, us in measured.cpu_us.items()},
        "lost": lost,
    }
    if measured.metrics:
        row["batch_rows"] = round(batch_rows(measured.metrics), 1)
        row["put_aside"] = put_aside(measured.metrics)
        row["stage_seconds"] = stage_seconds(measured.metrics)
    return row


def _arguments() -> list[str]:
    """The command line without paths of this machine."""
    return [Path(argument).name if "/" in argument else argument for argument in sys.argv[1:]]
