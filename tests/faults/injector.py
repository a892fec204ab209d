"""Does what the schedule says, at its times, to the servers, the workers, the files and the load."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from streams.settings import Settings
from tests.faults.counting_models import MODELS, write_bad_push, write_push
from tests.faults.editions import Edition, edition, replace_file, spoilt
from tests.faults.fleet import Fleet
from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.schedule import Fault, Kind, Part
from tests.faults.servers import Brokers, Triton
from tests.faults.small_disk import SmallDisk
from tests.faults.traffic import poison

logger = logging.getLogger(__name__)

#: Records of one burst of poison: more than one batch of a lane (64).
POISON_RECORDS = 200


class Skipped(Exception):
    """The fault could not be injected here; the message says why."""


@dataclass
class Surroundings:
    """Everything that can be hurt."""

    settings: Settings
    seed: int
    fleet: Fleet
    triton: Triton
    brokers: Brokers
    load: Load
    work_dir: Path
    disk: SmallDisk | None
    journal: Journal
    editions: list[Edition] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODELS, 1))
    pushes: int = 0

    @property
    def edition(self) -> Edition:
        """The last good one."""
        return self.editions[-1]

    def put_next_edition(self) -> Edition:
        """Write another edition with the versions that are served."""
        made = edition(len(self.editions) + 1, self.versions, seed=self.seed)
        self.editions.append(made)
        self.journal.note("edition", **made.record())
        made.put(self.settings.rules_dir)
        return made


class Injector:
    """Injects every fault of a schedule; each is noted with when it began, when it was lifted and what came of it."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._locks: defaultdict[Part, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._acts: Mapping[Kind, Callable[[Fault], Awaitable[str]]] = {
            "worker killed": self._worker_killed,
            "worker told to stop": self._worker_told_to_stop,
            "worker added": self._worker_added,
            "worker removed": self._worker_removed,
            "worker frozen": self._worker_frozen,
            "Triton killed": self._triton_killed,
            "Triton frozen": self._triton_frozen,
            "Triton stub killed": self._stub_killed,
            "broker killed": self._broker_killed,
            "all brokers stopped": self._brokers_stopped,
            "rules edited": self._rules_edited,
            "rules broken": self._rules_broken,
            "model pushed": self._model_pushed,
            "bad model pushed": self._bad_model_pushed,
            "poison records": self._poisoned,
            "disk full": self._disk_full,
        }

    async def run(self, faults: tuple[Fault, ...]) -> None:
        """Inject all; returns when the last is lifted. Faults of one part wait for each other."""
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(max(0.0, fault.at_s - (time.monotonic() - began_s)))
                group.create_task(self._inject(fault))

    async def _inject(self, fault: Fault) -> None:
        async with self._locks[fault.part]:
            began_s = time.time()
            self._around.journal.note("fault begins", number=fault.number, kind=fault.kind)
            outcome, skipped = "", False
            try:
                outcome = await self._acts[fault.kind](fault)
            except (Skipped, LookupError, psutil.Error) as error:
                outcome, skipped = str(error), True
            except Exception as error:
                # An hour of load must not end because one server could not be mended: the verdict will say so.
                logger.exception("%s", fault)
                outcome = f"{type(error).__name__}: {error}"
                self._around.journal.note("out of hand", kind=fault.kind, error=outcome)
            self._around.journal.note(
                "fault",
                number=fault.number,
                kind=fault.kind,
                began_s=round(began_s, 3),
                lifted_s=round(time.time(), 3),
                outcome=outcome,
                skipped=skipped,
            )

    async def _worker_killed(self, fault: Fault) -> str:
        slot = self._around.fleet.target(fault.choice)
        self._around.fleet.signal(slot, signal.SIGKILL)
        return slot.name

    async def _worker_told_to_stop(self, fault: Fault) -> str:
        slot = self._around.fleet.target(fault.choice)
        before = len(slot.exits)
        began_s = time.monotonic()
        self._around.fleet.signal(slot, signal.SIGTERM)
        while len(slot.exits) == before:
            await asyncio.sleep(0.1)
            if time.monotonic() - began_s > 60:
                raise TimeoutError(f"{slot.name} did not stop within 60 s of SIGTERM")
        return f"{slot.name} ended with {slot.exits[-1]} after {time.monotonic() - began_s:.1f} s"

    async def _worker_added(self, fault: Fault) -> str:
        slot = self._around.fleet.add()
        await asyncio.sleep(fault.hold_s)
        return f"{slot.name} came and left with {await self._around.fleet.remove(slot)}"

    async def _worker_removed(self, fault: Fault) -> str:
        fleet = self._around.fleet
        slot = fleet.target(fault.choice)
        code = await fleet.remove(slot)
        await asyncio.sleep(fault.hold_s)
        fleet.bring_back(slot)
        return f"{slot.name} left with {code} and came back"

    async def _worker_frozen(self, fault: Fault) -> str:
        slot = self._around.fleet.target(fault.choice)
        self._around.fleet.signal(slot, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.hold_s)
        finally:
            self._around.fleet.signal(slot, signal.SIGCONT)
        return f"{slot.name} for {fault.hold_s:.0f} s"

    async def _triton_killed(self, fault: Fault) -> str:
        self._around.triton.kill()
        await asyncio.sleep(fault.hold_s)
        await self._around.triton.start()
        return f"away for {fault.hold_s:.0f} s"

    async def _triton_frozen(self, fault: Fault) -> str:
        self._around.triton.freeze()
        try:
            await asyncio.sleep(fault.hold_s)
        finally:
            self._around.triton.thaw()
        return f"for {fault.hold_s:.0f} s"

    async def _stub_killed(self, fault: Fault) -> str:
        return self._around.triton.kill_stub(fault.choice)

    async def _broker_killed(self, fault: Fault) -> str:
        node = self._around.brokers.node(fault.choice)
        await self._around.brokers.kill(node)
        await asyncio.sleep(fault.hold_s)
        await self._around.brokers.start_one(node)
        return f"node {node} for {fault.hold_s:.0f} s"

    async def _brokers_stopped(self, fault: Fault) -> str:
        await self._around.brokers.stop()
        await asyncio.sleep(fault.hold_s)
        await self._around.brokers.start()
        return f"for {fault.hold_s:.0f} s"

    async def _rules_edited(self, fault: Fault) -> str:
        return f"edition {self._around.put_next_edition().number}"

    async def _rules_broken(self, fault: Fault) -> str:
        files, taken = spoilt(self._around.edition, fault.choice)
        if taken is not None:
            self._around.journal.note("edition", **taken.record())
        for name, text in files.items():
            replace_file(self._around.settings.rules_dir / name, text)
        await asyncio.sleep(fault.hold_s)
        self._around.edition.put(self._around.settings.rules_dir)
        return f"mistake {fault.choice % 7} for {fault.hold_s:.0f} s"

    async def _model_pushed(self, fault: Fault) -> str:
        around = self._around
        model = MODELS[fault.choice % len(MODELS)]
        version = around.versions[model] + 1
        code, said = await self._models_add(write_push(self._push_dir(), model, version))
        if code != 0:
            # Refused because Triton is away just now, say; nothing was changed, as it should be.
            return f"{model}/{version} not added: {said}"
        around.versions[model] = version
        return f"{model}/{version} in edition {around.put_next_edition().number}"

    async def _bad_model_pushed(self, fault: Fault) -> str:
        model = MODELS[fault.choice % len(MODELS)]
        version = self._around.versions[model] + 1
        source = write_bad_push(self._push_dir(), model, version, choice=fault.choice // len(MODELS))
        code, said = await self._models_add(source)
        if code == 0:
            raise AssertionError(f"a bad {model}/{version} was taken: {said}")
        return f"refused: {said}"

    async def _poisoned(self, fault: Fault) -> str:
        self._around.load.inject(poison(fault.choice, POISON_RECORDS))
        return f"{POISON_RECORDS} records"

    async def _disk_full(self, fault: Fault) -> str:
        if self._around.disk is None:
            raise Skipped("a small disk could not be mounted here (it takes root)")
        await asyncio.to_thread(self._around.disk.fill)
        try:
            await asyncio.sleep(fault.hold_s)
        finally:
            await asyncio.to_thread(self._around.disk.empty)
        return f"for {fault.hold_s:.0f} s"

    def _push_dir(self) -> Path:
        self._around.pushes += 1
        return self._around.work_dir / "pushes" / str(self._around.pushes)

    async def _models_add(self, source: Path) -> tuple[int, str]:
        """`sekisho models add`, as an operator runs it: exit code and the last line it said."""
        settings = self._around.settings
        environment: dict[str, Any] = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")},
            "SEKISHO_TRITON": settings.triton,
            "SEKISHO_MODEL_REPOSITORY": str(settings.model_repository),
            "SEKISHO_RULES_DIR": str(settings.rules_dir),
            "SEKISHO_TRITON_TIMEOUT_S": "10",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.cli", "models", "add", str(source),
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        lines = output.decode("utf-8", "replace").strip().splitlines() or [""]
        assert process.returncode is not None
        return process.returncode, lines[-1][:200]
