"""Looks at the worker while it works: its process, its memory, whom it talks to, and afterwards what it logged."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import psutil

from tests.faults.checker.verdict import Verdict
from tests.integration.worker.process import WorkerProcess

#: Resident memory that a worker may reach, in bytes. Its lanes hold at most 64 MiB of records each, some 200 MB with
#: what is made of them (`streams.agents.lane`), beside 300 MB of program, dictionary and windows.
MOST_MEMORY_BYTES: Final = 1_500 << 20


class Trap:
    """A server on this machine that pictures' addresses point at: nothing may ever connect to it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            self.visits += 1
            connection.close()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


class VitalSigns:
    """One worker's, from its start to its end."""

    def __init__(self, worker: WorkerProcess, verdict: Verdict) -> None:
        self._worker = worker
        self._verdict = verdict
        self._process = psutil.Process(worker.running.pid)
        self.peak_bytes = 0

    def look(self) -> bool:
        """Note memory and connections; False if the process has ended, which is noted too."""
        code = self._worker.running.poll()
        if code is not None:
            self._verdict.complain("the worker died", f"exit code {code}: {self._last_words()}")
            return False
        self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)
        for connection in self._process.net_connections("inet"):
            if connection.raddr and not (_is_here(connection.raddr.ip) or _is_name_server(connection.raddr)):
                self._verdict.complain("a connection off this machine", str(connection.raddr))
        return True

    def judge(self, *, secrets: Iterable[str]) -> None:
        """After the last record: ready, in bounds, and nothing in the log that does not belong there."""
        if not self._worker.ready().get("ready"):
            self._verdict.complain("not ready at the end", str(self._worker.ready()))
        if self.peak_bytes > MOST_MEMORY_BYTES:
            self._verdict.complain("memory", f"{self.peak_bytes >> 20} MiB")
        name = "peak memory of the worker, MiB"
        self._verdict.measured[name] = max(self.peak_bytes >> 20, self._verdict.measured.get(name, 0))
        log = self._worker.log()
        for line in log.splitlines():
            if "Traceback" in line or '"traceback"' in line:
                self._verdict.complain("a traceback in the log", line[:500])
        for secret in secrets:
            if secret in log:
                self._verdict.complain("a secret or a text in the log", secret)

    @property
    def rejoined(self) -> int:
        """How often the worker had to join its group anew: on a crowded machine the broker may take it for dead."""
        return self._worker.log().count("rebalancing: no records are taken")

    def counted(self, metric: str, label: str = "") -> int:
        """The sum of a counter over all its labels, or over those that have one as it is written, `by="report"`."""
        _, page = self._worker.get("/metrics")
        series = re.findall(rf"^{metric}{{([^\n]*)}} (\S+)$", page, re.MULTILINE)
        return sum(round(float(number)) for labels, number in series if label in labels)

    def _last_words(self) -> str:
        lines = [
            line for line in self._worker.log().splitlines() if "critical" in line.lower() or "Error" in line
        ]
        return " / ".join(lines)[-1500:] or self._worker.log()[-500:]


def _is_name_server(address: Any) -> bool:
    """The names of allowed hosts of pictures are asked of the system's resolver."""
    resolvers = Path("/etc/resolv.conf")
    stated = resolvers.read_text("utf-8").split() if resolvers.exists() else []
    return address.port == 53 and address.ip in stated


def _is_here(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
