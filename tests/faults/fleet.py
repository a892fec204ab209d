"""Workers under a supervisor: one that ends, for whatever reason, is started again, as a deployment would do."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from streams.settings import Settings
from tests.faults.journal import Journal
from tests.integration.worker.process import WorkerProcess

#: Pause before a worker is started again: systemd's and Kubernetes' first pauses are 0.1 s and 10 s.
RESTART_PAUSE_S = 1.0
#: `drain_s` and ten seconds more are what the engine promises for a stop; beyond it the process is killed.
STOP_LIMIT_S = 25.0


@dataclass
class Slot:
    """The place of one worker: its settings, data directory and log outlive the processes in it."""

    name: str
    environment: Mapping[str, str]
    process: WorkerProcess
    wanted: bool = True
    frozen: bool = False
    #: Set while a process was ended on purpose, so that its end is not news.
    blamed: str = ""
    supervisor: asyncio.Task[None] | None = None
    exits: list[int] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """A process is there; it may still be starting."""
        return self.process.process is not None and self.process.process.poll() is None


class Fleet:
    """All workers of a campaign."""

    def __init__(self, settings: Settings, directory: Path, journal: Journal) -> None:
        self._settings = settings
        self._directory = directory
        self._journal = journal
        self._count = 0
        self.slots: list[Slot] = []
        self.peak_rss_bytes = 0

    def add(self, *, data_dir: Path | None = None, **environment: str) -> Slot:
        """Start a worker in a place of its own."""
        self._count += 1
        name = f"worker{self._count}"
        home = data_dir or self._directory / name
        home.mkdir(parents=True, exist_ok=True)
        # The log is not on the data disk: that one may be full, and then is when the log matters.
        process = WorkerProcess(
            self._settings.model_copy(update={"data_dir": self._directory}),
            name,
            SEKISHO_DATA_DIR=str(home),
            **environment,
        )
        slot = Slot(name, environment, process)
        self.bring_back(slot)
        self.slots.append(slot)
        return slot

    def bring_back(self, slot: Slot) -> None:
        """Start a worker in its place, and keep one there from now on."""
        slot.wanted, slot.frozen, slot.blamed = True, False, ""
        slot.process.start()
        slot.supervisor = asyncio.create_task(self._supervise(slot))

    def target(self, choice: int) -> Slot:
        """One of the workers that run."""
        running = [slot for slot in self.slots if slot.wanted and slot.running and not slot.frozen]
        if not running:
            raise LookupError("no worker runs at the moment")
        return running[choice % len(running)]

    def signal(self, slot: Slot, number: signal.Signals) -> None:
        """Send a signal; SIGSTOP and SIGCONT are remembered."""
        slot.blamed = number.name
        slot.frozen = number == signal.SIGSTOP
        slot.process.running.send_signal(number)

    async def ready(self, timeout_s: float = 300.0) -> None:
        """Wait until every worker is ready."""
        for slot in self.slots:
            await slot.process.wait_ready(timeout_s=timeout_s)

    async def remove(self, slot: Slot) -> int:
        """Stop a worker for good; its exit code. It is killed when it takes longer than it promises."""
        slot.wanted = False
        if slot.supervisor is not None:
            slot.supervisor.cancel()
        if slot.running:
            self.signal(slot, signal.SIGCONT)
            self.signal(slot, signal.SIGTERM)
        try:
            code = await asyncio.to_thread(slot.process.running.wait, STOP_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            self._journal.note("stop failed", worker=slot.name, error=str(error))
            slot.process.kill()
            code = -signal.SIGKILL
        return code

    async def stop(self) -> dict[str, int]:
        """Stop all, one after the other; exit codes by name."""
        return {slot.name: await self.remove(slot) for slot in self.slots if slot.wanted}

    def kill(self) -> None:
        """End what is left, at once."""
        for slot in self.slots:
            if slot.supervisor is not None:
                slot.supervisor.cancel()
            if slot.running:
                os.kill(slot.process.running.pid, signal.SIGCONT)
            slot.process.kill()

    def measure(self) -> dict[str, int]:
        """Resident memory of each worker, in bytes."""
        found = {}
        for slot in self.slots:
            if slot.running:
                try:
                    found[slot.name] = psutil.Process(slot.process.running.pid).memory_info().rss
                except psutil.Error:
                    continue  # it ended while we looked
        self.peak_rss_bytes = max(self.peak_rss_bytes, *found.values(), 0)
        return found

    async def _supervise(self, slot: Slot) -> None:
        while slot.wanted:
            if slot.running:
                await asyncio.sleep(0.2)
                continue
            code = slot.process.running.returncode
            slot.exits.append(code)
            self._journal.note("worker ended", worker=slot.name, code=code, after=slot.blamed)
            slot.blamed, slot.frozen = "", False
            await asyncio.sleep(RESTART_PAUSE_S)
            if slot.wanted:
                slot.process.start()
                self._journal.note("worker started", worker=slot.name)
