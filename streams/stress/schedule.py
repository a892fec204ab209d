"""When each event of a run is due: an open loop, which no slow answer ever holds up (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Arrivals = Literal["even", "poisson"]


class NothingToSend(ValueError):
    """A rate and a time that make less than one event."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A load: `rate` events a second over `warm_up_s` and then `seconds`; only the latter are measured.

    `even` sends at equal distances. `poisson` draws each event's time on its own, as users do who know nothing of one
    another: the same number in all, with the bursts that an even load never has.
    """

    rate: float
    seconds: float
    warm_up_s: float = 0.0
    arrivals: Arrivals = "even"
    seed: int = 1

    @property
    def span_s(self) -> float:
        """How long events are sent."""
        return self.warm_up_s + self.seconds

    def due_s(self) -> NDArray[np.float64]:
        """Seconds from the start at which each event is due, ascending, all below `span_s`. Raises NothingToSend.

        Latency is counted from these times and not from when the sender got round to sending, so a sender that is
        held up cannot hide what it waited for (coordinated omission: Tene, "How NOT to measure latency", 2013).
        """
        count = round(self.rate * self.span_s)
        if count < 1:
            raise NothingToSend(f"{self.rate:g} events/s for {self.span_s:g} s are no event at all")
        if self.arrivals == "poisson":
            # Of a Poisson process with a known number of events, their times are uniform and independent.
            return np.sort(np.random.default_rng(self.seed).uniform(0.0, self.span_s, count))
        return np.minimum(np.arange(count) / self.rate, np.nextafter(self.span_s, 0.0))
