"""Processor time of two model files, measured side by side so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.export.graph import run

Rows = Mapping[str, npt.NDArray[Any]]

#: Rounds that the median is taken over; the first ones warm the caches and are not counted.
_ROUNDS: Final = 41
_WARMING: Final = 3
#: A call of batch 1 takes some 0.1 ms and the clock ticks in microseconds: so many rows make one measurement.
_ROWS_A_MEASUREMENT: Final = 64


def us_per_row(
    sessions: Sequence[Any],
    rows: Rows,
    batch: int,
    *,
    rounds: int = _ROUNDS,
    clock: Callable[[], float] = time.thread_time,
) -> list[float]:
    """Microseconds a row of each ONNX Runtime session at that batch size, the median over `rounds`.

    Sessions take turns, in changing order. They must run on one thread, which then is the caller's, because `clock`
    (seconds) counts this thread's processor time: what other processes take does not count. `rows` are inputs as
    served, all of one length bucket, repeated as often as needed.
    """
    requests = _requests(rows, batch)
    counted = batch * len(requests)
    seconds: list[list[float]] = [[] for _ in sessions]
    for number in range(_WARMING + rounds):
        order = list(range(len(sessions)))
        for place in order if number % 2 else reversed(order):
            started = clock()
            for request in requests:
                run(sessions[place], request)
            seconds[place].append(clock() - started)
    return [statistics.median(taken[_WARMING:]) / counted * 1e6 for taken in seconds]


def _requests(rows: Rows, batch: int) -> list[dict[str, npt.NDArray[Any]]]:
    there = len(next(iter(rows.values())))
    count = max(1, _ROWS_A_MEASUREMENT // batch)
    return [
        {name: values[np.arange(at, at + batch) % there] for name, values in rows.items()}
        for at in range(0, count * batch, batch)
    ]
