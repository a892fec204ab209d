"""A Triton that is slow or hangs: the real server, stopped and continued by signals so that it gets a share of its time."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import TracebackType
from typing import Final

from streams.embedded.triton import EmbeddedTriton

#: A tenth of its speed.
TENTH: Final = 0.1
#: How long it runs in one go. An embedded Triton needs some 20 ms for 64 messages of one model, so every go gives a few
#: answers; at a tenth it then stands for 0.45 s, which a call with its 2 s outlives: slow, and not hanging.
GO_S: Final = 0.05
#: Between two SIGSTOPs of a server that shall hang: somebody may have let it go on.
HANG_S: Final = 0.2


class Brake:
    """Slows a server down from `hold` to `release`, or hangs it with `share` 0.

    The share is of the time that really passed: on a busy machine a go lasts longer, and so does the stop after it.
    Connections stay open, and nothing is answered while it stands. A thread of its own keeps time, because the event
    loop of a test may be busy.

    Only the server is stopped, not the processes that run its models. They share a lock with it for a sign of life:
    stopped while holding it they count as dead, and tritonserver 2.51 may abort on it (`lock_exception`).
    """

    def __init__(self, server: EmbeddedTriton, *, share: float = TENTH) -> None:
        if not 0 <= share < 1:
            raise ValueError(f"share is {share}, not within 0..1 (1 excluded)")
        self._pid = server.pid
        self._share = share
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triton-brake", daemon=True)
        self._began_s = 0.0
        self._went_s = 0.0

    @property
    def kept(self) -> float:
        """The share of its time that the server has really had since the brake was put on."""
        held_s = time.monotonic() - self._began_s
        return self._went_s / held_s if held_s else 0.0

    def hold(self) -> Brake:
        """Begin."""
        self._began_s = time.monotonic()
        os.kill(self._pid, signal.SIGSTOP)
        self._thread.start()
        return self

    def release(self) -> None:
        """Let it go on at full speed. The second time nothing happens."""
        self._released.set()
        self._thread.join()

    def __enter__(self) -> Brake:
        """Begin."""
        return self.hold()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it go on."""
        self.release()

    def _run(self) -> None:
        stand_s = HANG_S if self._share == 0 else GO_S * (1 - self._share) / self._share
        try:
            while True:
                os.kill(self._pid, signal.SIGSTOP)
                if self._released.wait(stand_s):
                    break
                if self._share == 0:
                    continue
                began_s = time.monotonic()
                os.kill(self._pid, signal.SIGCONT)
                time.sleep(GO_S)
                os.kill(self._pid, signal.SIGSTOP)
                self._went_s += time.monotonic() - began_s
                held_s = time.monotonic() - self._began_s
                stand_s = max(0.0, self._went_s / self._share - held_s)
            os.kill(self._pid, signal.SIGCONT)
        except ProcessLookupError:
            return  # the server was killed meanwhile
