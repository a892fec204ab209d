"""Processor time by role while a system runs, sampled so that any stretch of the run can be asked about afterwards."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil

_SAMPLE_S = 0.1
#: Children come and go while servers start; they are looked for so often.
_LOOK_S = 1.0


@dataclass(slots=True)
class CpuSamples:
    """Seconds of processor time of one role since some moment, at times in seconds since 1970."""

    at_s: list[float] = field(default_factory=list)
    used_s: list[float] = field(default_factory=list)

    def between(self, start_s: float, end_s: float) -> float:
        """Seconds used in that stretch, samples joined by straight lines. Raises ValueError without samples around it."""
        if not self.at_s or start_s < self.at_s[0] or end_s > self.at_s[-1]:
            raise ValueError(f"no samples around {start_s:.3f} to {end_s:.3f}")
        return self._used(end_s) - self._used(start_s)

    def _used(self, moment_s: float) -> float:
        right = bisect_left(self.at_s, moment_s)
        if self.at_s[right] == moment_s or right == 0:
            return self.used_s[right]
        left = right - 1
        share = (moment_s - self.at_s[left]) / (self.at_s[right] - self.at_s[left])
        return self.used_s[left] + share * (self.used_s[right] - self.used_s[left])


class CpuSampler:
    """Samples the processes of each role, with all their descendants, from entering to leaving."""

    def __init__(self, roles: Mapping[str, Sequence[int]]) -> None:
        self.samples = {role: CpuSamples() for role in roles}
        self._roots = {role: [psutil.Process(pid) for pid in pids] for role, pids in roles.items()}
        self._families: dict[str, list[psutil.Process]] = {}
        self._used_by_ended: dict[int, float] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="cpu-sampler", daemon=True)

    def __enter__(self) -> CpuSampler:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """End, with a last sample."""
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        looked_at_s = 0.0
        while True:
            last = self._done.is_set()
            if time.monotonic() - looked_at_s >= _LOOK_S:
                self._families = {role: _families(roots) for role, roots in self._roots.items()}
                looked_at_s = time.monotonic()
            for role, processes in self._families.items():
                used_s = sum(map(self._used_s, processes))
                self.samples[role].at_s.append(time.time())
                self.samples[role].used_s.append(used_s)
            if last:
                return
            self._done.wait(_SAMPLE_S)

    def _used_s(self, process: psutil.Process) -> float:
        """A process that ended counts with what it had used when last seen."""
        try:
            times = process.cpu_times()
            self._used_by_ended[process.pid] = times.user + times.system
        except psutil.NoSuchProcess:
            pass
        return self._used_by_ended.get(process.pid, 0.0)


def _families(roots: Sequence[psutil.Process]) -> list[psutil.Process]:
    found = list(roots)
    for root in roots:
        try:
            found += root.children(recursive=True)
        except psutil.NoSuchProcess:
            continue
    return found
