"""The time limit of a stop: a process that has not ended by then is ended, by a thread, for the event loop may hang."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

#: The exit code of a process that had to be ended.
EXIT_UNFINISHED = 1
#: For the log line that says so, in seconds.
LAST_WORD_S = 1.0


class StopLimit:
    """Begun with the wish to stop; `leave(code)` ends the process, by default without asking anyone.

    Not `asyncio.timeout`: what is cancelled in one wait of Faust's or aiokafka's goes on to the next, of 30 s each when
    the broker does not answer. And the interpreter waits for threads when all else is closed, such as one that asks a
    dead name server.
    """

    def __init__(self, limit_s: float, *, leave: Callable[[int], object] = os._exit) -> None:
        self._limit_s = limit_s
        self._leave = leave
        self._timer: threading.Timer | None = None
        self._closed_with: int | None = None

    def begin(self) -> None:
        """Start the time, unless it runs already."""
        if self._timer is None:
            self._timer = threading.Timer(self._limit_s, self._time_is_up)
            self._timer.daemon = True
            self._timer.start()

    def closed(self, exit_code: int) -> None:
        """Everything is closed: should threads keep the process, this is the code that it ends with all the same."""
        self._closed_with = exit_code

    def lift(self) -> None:
        """The process shall live on."""
        if self._timer is not None:
            self._timer.cancel()

    def _time_is_up(self) -> None:
        code = EXIT_UNFINISHED if self._closed_with is None else self._closed_with
        # Should the log hang, because whoever reads it has stopped, that is no reason to stay.
        last = threading.Timer(LAST_WORD_S, self._leave, (code,))
        last.daemon = True
        last.start()
        if self._closed_with is None:
            logger.critical(
                "not closed after %.0f s: leaving; what is in flight will be delivered again", self._limit_s
            )
        else:
            logger.warning("closed, but threads have not ended after %.0f s: leaving", self._limit_s)
        logging.shutdown()
        last.cancel()
        self._leave(code)
