"""A server as a child process: its own process group, a log file, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from streams.embedded import child


class EmbeddedServerError(RuntimeError):
    """An embedded server did not start, died or did not become ready; the message says why and what to do."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that were free a moment ago, all different.

    Another process may take one before the server binds it; the server then says so in its log and does not start.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


class ServerProcess:
    """One child process and all its descendants.

    The child gets `death_signal` when the *thread* that started it ends (that is how PR_SET_PDEATHSIG counts), so
    start servers from a thread that lives as long as they should.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, log_file: Path, death_signal: signal.Signals
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._command = [str(part) for part in command]
        self._death_signal = death_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._log: BinaryIO | None = None
        self._log_start = 0
        self._group_ended = True

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it. Raises EmbeddedServerError when it is running already or the program cannot be executed."""
        if self.running:
            raise EmbeddedServerError(f"{self.name} is running already (pid {self.pid})")
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._log = self.log_file.open("ab")
        self._log_start = self._log.tell()
        # The wrapper sets the death signal and then becomes the server, so the pid is the server's. Popen's
        # preexec_fn would do the same between fork and exec, where a process with gRPC's threads may deadlock.
        wrapper = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), str(int(self._death_signal))]
        self._process = subprocess.Popen(
            [*wrapper, *self._command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._group_ended = False

    @property
    def pid(self) -> int:
        """Its process id, also its process group's. Raises EmbeddedServerError before the first start."""
        if self._process is None:
            raise EmbeddedServerError(f"{self.name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server itself is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Its exit status (minus the signal's number where one ended it), None while it runs or was never started."""
        return None if self._process is None else self._process.poll()

    def stop(self, grace_s: float) -> int | None:
        """SIGTERM, then SIGKILL after `grace_s`; ends the whole group. Gives the exit status."""
        if self.running:
            os.kill(self.pid, signal.SIGTERM)
            # A server that a test or an operator froze cannot see SIGTERM until it goes on.
            os.kill(self.pid, signal.SIGCONT)
            assert self._process is not None
            with suppress(subprocess.TimeoutExpired):  # kill() below is what a late server gets
                self._process.wait(grace_s)
        self.kill()
        return self.exit_status

    def kill(self) -> None:
        """SIGKILL to whatever of the process group is left, and close the log."""
        if self._process is not None and not self._group_ended:
            with suppress(ProcessLookupError):  # the group has no member any more: it ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._group_ended = True  # the kernel may now give its number to a stranger
        if self._log is not None:
            self._log.close()
            self._log = None

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that this run of the server wrote."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            written = log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(written[-lines:])

    @property
    def fate(self) -> str:
        """Its name and how it ended, for a sentence."""
        status = self.exit_status
        if status is None:
            return f"{self.name} did not start"
        if status < 0:
            return f"{self.name} was ended by {signal.Signals(-status).name}"
        return f"{self.name} ended with status {status}"

    def died(self) -> EmbeddedServerError:
        """What to raise when it is found dead."""
        return EmbeddedServerError(f"{self.fate}; its log, {self.log_file}, ends with:\n{self.log_tail()}")
