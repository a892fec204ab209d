"""Triton and workers of one case, started until every worker consumes and all models answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.scaling.case import Case
from streams.embedded.triton import EmbeddedTriton
from streams.inference.contracts import IMAGE_ENCODER
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.screening import wanted_models
from streams.settings import Settings
from tests.integration.worker.process import WorkerProcess

ROOT = Path(__file__).parents[2]
#: Recovering a million conversations takes 10 s of processor time, checking 10,000 rules as long.
_READY_S = 600.0
#: Members of a group that forms may be ready one by one and then begin again; together for so long, they are.
_SETTLED_S = 2.0


class _Started(WorkerProcess):
    """A worker that another module than the command's may start."""

    def __init__(self, settings: Settings, module: str | None) -> None:
        super().__init__(settings, "worker", PYTHONPATH=str(ROOT))
        self._module = module

    def start(self) -> WorkerProcess:
        if self._module is None:
            return super().start()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module], env=self._environment, stdout=log, stderr=log
            )
        return self


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is running. `ready_s` is the time from the workers' start until all consumed and every model answered."""

    workers: Sequence[WorkerProcess]
    triton: EmbeddedTriton
    ready_s: float

    @property
    def pids(self) -> dict[str, list[int]]:
        """Process ids by role; the image encoder's instances are among the models' and have a role of their own."""
        stubs = psutil.Process(self.triton.pid).children(recursive=True)
        encoders = [stub.pid for stub in stubs if any(IMAGE_ENCODER.name in word for word in stub.cmdline())]
        return {
            "worker": [worker.running.pid for worker in self.workers],
            "models": [self.triton.pid],
            "encoder": encoders,
        }

    @property
    def resident_mb(self) -> float:
        """Resident memory of all workers."""
        used = [psutil.Process(worker.running.pid).memory_info().rss for worker in self.workers]
        return float(sum(used)) / 1e6

    @property
    def cpu_s(self) -> float:
        """Processor time that the workers have used since they started."""
        times = [psutil.Process(worker.running.pid).cpu_times() for worker in self.workers]
        return float(sum(each.user + each.system for each in times))

    def check(self) -> None:
        """Raises RuntimeError when a process has ended."""
        for worker in self.workers:
            if worker.running.poll() is not None:
                raise RuntimeError(f"a worker ended: {worker.log()[-3000:]}")
        if not self.triton.running:
            raise self.triton.died()

    def metrics(self) -> list[str]:
        """Each worker's /metrics."""
        return [worker.get("/metrics")[1] for worker in self.workers]


@asynccontextmanager
async def deployed(case: Case, settings: Settings, policy: Policy) -> AsyncIterator[Deployment]:
    """Started on entering, killed on leaving: nothing of it is needed afterwards."""
    models = {wanted.model.model for wanted in wanted_models(policy, case.kind)}
    if case.topic == "listings":
        models.add(IMAGE_ENCODER.name)
    triton = EmbeddedTriton(case.repository, settings.data_dir / "triton", models=sorted(models))
    workers: list[WorkerProcess] = []
    try:
        triton.start()
        await asyncio.to_thread(triton.wait_ready, _READY_S)
        began_s = time.monotonic()
        for number in range(case.workers):
            own = settings.model_copy(
                update={"data_dir": settings.data_dir / str(number), "triton": triton.grpc_address}
            )
            workers.append(_Started(own, case.module).start())
        deployment = Deployment(workers, triton, 0.0)
        await _settle(deployment)
        yield replace(deployment, ready_s=time.monotonic() - began_s - _SETTLED_S)
    finally:
        for worker in workers:
            worker.kill()
        triton.kill()


async def _settle(deployment: Deployment) -> None:
    """Wait until all workers have been ready together for a while, with every model there."""
    deadline = time.monotonic() + _READY_S
    since_s = time.monotonic()
    while time.monotonic() - since_s < _SETTLED_S:
        deployment.check()
        states = [await asyncio.to_thread(worker.ready) for worker in deployment.workers]
        now_s = time.monotonic()
        if not all(state.get("ready") and state.get("triton") == "available" for state in states):
            since_s = now_s
        if now_s > deadline:
            raise RuntimeError(
                f"the workers did not get ready: {states}\n{deployment.workers[0].log()[-3000:]}"
            )
        await asyncio.sleep(0.1)


def read_policy(rules_dir: Path) -> Policy:
    """The policy of a rules directory. Raises ValueError with every error in it."""
    path = rules_dir / POLICY_FILE
    policy, issues = parse_policy(path.read_bytes(), str(path))
    if policy is None:
        raise ValueError("\n".join(issue.render() for issue in issues))
    return policy
