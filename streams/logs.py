"""Logging: one JSON object a line (or text for a terminal), with personal data masked, and never at DEBUG by accident.

Faust leaves the root logger at DEBUG whatever level is asked for, so that aiokafka builds a record for every
`debug()` call: 28 % of a worker's CPU at 500 events/s. And while a broker is away aiokafka logs some 40 errors a
second; each distinct line is let through once in ten seconds.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import orjson

from streams.features.masking import mask_patterns

#: Seconds in which the same line of a library is logged once.
REPEAT_S = 10.0
#: Libraries that tell the starting and stopping of each of their services at INFO; Faust names our subclasses' loggers
#: after our modules.
NARRATORS = ("faust", "mode", "watchfiles", "streams.kafka.faust_corrections")
#: What these say at DEBUG is the wire itself: a login on its way (with PLAIN the password), records with all they hold.
WIRE = ("aiokafka.conn", "aiokafka.producer.producer")
#: Distinct lines remembered for that.
REMEMBERED_LINES = 1_000


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: at, level, logger, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format and mask."""
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_patterns(record.getMessage()).text,
        }
        if record.exc_info:
            line["traceback"] = mask_patterns(self.formatException(record.exc_info)).text
        return orjson.dumps(line).decode()


class TextFormatter(logging.Formatter):
    """A record for a person at a terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Format and mask."""
        return mask_patterns(super().format(record)).text


class OncePerInterval(logging.Filter):
    """Lets a library's line through once per interval, so that an outage is not a flood."""

    def __init__(self, interval_s: float = REPEAT_S, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._clock = clock
        self._last: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """True if the line is ours, a new one, or long ago."""
        if record.name.startswith("streams"):
            return True
        line = (record.name, record.msg)
        now = self._clock()
        last = self._last.get(line)
        if last is not None and now - last < self._interval_s:
            return False
        if len(self._last) >= REMEMBERED_LINES:
            self._last.clear()
        self._last[line] = now
        return True


def set_up(level: str, *, as_json: bool) -> None:
    """Send all logging to standard error, formatted and masked, from `level` up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    handler.addFilter(OncePerInterval())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in WIRE:
        logging.getLogger(name).setLevel(logging.INFO)
    if level != "debug":
        for narrator in NARRATORS:
            logging.getLogger(narrator).setLevel(logging.WARNING)
        logging.disable(logging.DEBUG)
