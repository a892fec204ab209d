"""The systems that are compared: how each is started on a topic full of messages, and what its processes are."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.end_to_end.quix_environment import quix_python
from streams.embedded.process import EmbeddedServerError, ServerProcess, free_ports
from streams.embedded.triton import EmbeddedTriton
from streams.inference.contracts import ModelVersion
from streams.settings import Settings
from tests.integration.worker.process import WorkerProcess

ROOT = Path(__file__).parents[2]
#: Processes that end by themselves on SIGTERM need a few seconds for it; nothing is lost if they do not.
_GRACE_S = 5.0
_START_S = 120.0


@dataclass(frozen=True, slots=True)
class Task:
    """What a system has to do: the topics and rules are in the settings, the models are those of the policy."""

    settings: Settings
    models: tuple[ModelVersion, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The settings as a child process takes them; the checkout is on its path."""
        stated = self.settings.model_dump(mode="json", exclude_unset=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEKISHO_")}
        return kept | {
            "PYTHONPATH": str(ROOT),
            **{f"SEKISHO_{name.upper()}": str(value) for name, value in stated.items()},
        }


@dataclass(slots=True)
class Running:
    """A started system: process ids by what they do, and the worker's metrics where it has any."""

    pids: dict[str, list[int]] = field(default_factory=dict)
    metrics: Callable[[], str] | None = None
    #: Raises when one of the processes has ended.
    check: Callable[[], None] = lambda: None


Start = Callable[[Task, AsyncExitStack], Awaitable[Running]]


@dataclass(frozen=True, slots=True)
class System:
    """One way to do the work."""

    name: str
    start: Start

    @asynccontextmanager
    async def running(self, task: Task) -> AsyncIterator[Running]:
        """Started on entering, ended on leaving."""
        async with AsyncExitStack() as stack:
            yield await self.start(task, stack)


async def _sekisho(task: Task, stack: AsyncExitStack) -> Running:
    triton, settings = _triton(task, stack)
    worker = WorkerProcess(settings, "worker", PYTHONPATH=str(ROOT))
    stack.callback(worker.kill)
    worker.start()

    def check() -> None:
        if worker.running.poll() is not None:
            raise EmbeddedServerError(f"the worker ended: {worker.log()[-3000:]}")

    return Running(
        {"worker": [worker.running.pid], "models": [triton.pid]}, lambda: worker.get("/metrics")[1], check
    )


async def _plain_faust(task: Task, stack: AsyncExitStack) -> Running:
    triton, settings = _triton(task, stack)
    worker = _child("plain_faust", [sys.executable], Task(settings, task.models), stack)
    return Running({"worker": [worker.pid], "models": [triton.pid]}, check=_alive(worker))


def _quix(processes: int) -> Start:
    async def start(task: Task, stack: AsyncExitStack) -> Running:
        python = await asyncio.to_thread(quix_python)
        workers = []
        for number in range(processes):
            own = task.settings.model_copy(update={"data_dir": task.settings.data_dir / str(number)})
            workers.append(_child("quix", [str(python)], Task(own, task.models), stack, name=f"quix{number}"))
        return Running({"worker": [worker.pid for worker in workers]}, check=_alive(*workers))

    return start


def _rest(in_flight: int) -> Start:
    async def start(task: Task, stack: AsyncExitStack) -> Running:
        ports = free_ports(len(task.models))
        services = []
        for model, port in zip(task.models, ports, strict=True):
            arguments = [
                model.model, str(model.version), "--port", str(port),
                "--models", str(task.settings.model_repository),
            ]  # fmt: skip
            services.append(
                _child("rest_service", [sys.executable], task, stack, arguments=arguments, name=model.model)
            )
        for service, port in zip(services, ports, strict=True):
            await asyncio.to_thread(_wait_until_it_answers, service, f"http://127.0.0.1:{port}/openapi.json")
        urls = [
            f"{model.model}=http://127.0.0.1:{port}/score"
            for model, port in zip(task.models, ports, strict=True)
        ]
        loop = _child(
            "rest_loop", [sys.executable], task, stack, arguments=[*urls, "--in-flight", str(in_flight)]
        )
        return Running(
            {"worker": [loop.pid], "models": [service.pid for service in services]},
            check=_alive(loop, *services),
        )

    return start


#: By the name that `--only` takes; `report.py` has their titles. The in-process limit is no system:
#: `measuring.in_process`.
SYSTEMS: Mapping[str, System] = {
    system.name: system
    for system in (
        System("sekisho", _sekisho),
        System("faust", _plain_faust),
        System("quix", _quix(1)),
        System("quix_2", _quix(2)),
        System("rest", _rest(16)),
        System("rest_1", _rest(1)),
    )
}


def _triton(task: Task, stack: AsyncExitStack) -> tuple[EmbeddedTriton, Settings]:
    server = EmbeddedTriton(
        task.settings.model_repository,
        task.settings.data_dir / "triton",
        models=[model.model for model in task.models],
    )
    stack.enter_context(server)
    return server, task.settings.model_copy(update={"triton": server.grpc_address})


def _child(
    module: str,
    python: Sequence[str],
    task: Task,
    stack: AsyncExitStack,
    *,
    arguments: Sequence[str] = (),
    name: str | None = None,
) -> ServerProcess:
    process = ServerProcess(
        name or module,
        [*python, "-m", f"benchmarks.end_to_end.{module}", *arguments],
        log_file=task.settings.data_dir / f"{name or module}.log",
        death_signal=signal.SIGTERM,
    )
    process.start(task.environment)
    stack.callback(process.stop, _GRACE_S)
    return process


def _alive(*processes: ServerProcess) -> Callable[[], None]:
    def check() -> None:
        for process in processes:
            if not process.running:
                raise process.died()

    return check


def _wait_until_it_answers(process: ServerProcess, url: str) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            if not process.running or time.monotonic() > deadline:
                raise process.died() from None
            time.sleep(0.1)
        else:
            return
