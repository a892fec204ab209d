"""The account of a run: what was sent, what came of it and when, event by event (pure)."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

By = Literal["rule", "model"]
#: Evidence in an alert: the event's number, the domain, and what speaks there.
Evidence = tuple[int, str, By]
#: Problems and lost events that are kept for the reader; the others are counted.
KEPT: Final = 10

_NOT: Final = np.float32(np.nan)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an output came: in our hands (`at_s`), and the timestamp that its record carries, both from the start."""

    at_s: float
    stamped_s: float


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from when events were due: to our hands, and to the timestamp of the record."""

    received_s: NDArray[np.float32]
    stamped_s: NDArray[np.float32]


class Account:
    """Takes down what is sent and what arrives, in any order. All times are seconds from the run's start.

    Events due before `measured_from_s` count for losses and not for latencies.
    """

    def __init__(self, due_s: NDArray[np.float64], *, measured_from_s: float = 0.0) -> None:
        self._due_s = due_s
        self._measured_from_s = measured_from_s
        self._sent_late_s = np.full(len(due_s), _NOT, np.float32)
        self._acknowledged_s = np.full(len(due_s), _NOT, np.float32)
        self._predicted_s = np.full((2, len(due_s)), _NOT, np.float32)
        self._done = np.zeros(len(due_s), bool)
        self._refused_numbers: set[int] = set()
        self._oldest = 0
        self._alerted: set[Evidence] = set()
        self._unalerted: set[Evidence] = set()
        self._alert_s: dict[By, tuple[array[float], array[float]]] = {
            "rule": (array("f"), array("f")),
            "model": (array("f"), array("f")),
        }
        #: Events both acknowledged and done.
        self._settled = 0
        self.sent = self.acknowledged = self.predictions = self.repeated = 0
        self.dead_letters: Counter[str] = Counter()
        #: Why events were not acknowledged, and outputs of this run that are not of the contract, by topic.
        self.problems: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()

    @property
    def due(self) -> int:
        """Events of the whole schedule."""
        return len(self._due_s)

    @property
    def refused(self) -> int:
        """Events that Kafka did not acknowledge; some may have been written all the same."""
        return len(self._refused_numbers)

    def note_sent(self, number: int, at_s: float) -> None:
        """An event was handed to the producer."""
        self._sent_late_s[number] = at_s - self._due_s[number]
        self.sent += 1

    def note_acknowledged(self, number: int, at_s: float) -> None:
        """Kafka has the event."""
        self._acknowledged_s[number] = at_s - self._due_s[number]
        self.acknowledged += 1
        self._settled += bool(self._done[number])

    def note_refused(self, number: int, problem: str) -> None:
        """Kafka did not acknowledge the event."""
        self._refused_numbers.add(number)
        self.problems[problem] += 1

    def note_prediction(self, number: int, arrival: Arrival, evidence: Iterable[tuple[str, By]]) -> None:
        """A prediction of the event; `evidence` by domain is what its alerts must hold."""
        named: set[Evidence] = {(number, domain, by) for domain, by in evidence}
        self._unalerted |= named - self._alerted
        if self._finish(number):
            self.predictions += 1
            self._predicted_s[:, number] = (arrival.at_s, arrival.stamped_s) - self._due_s[number]

    def note_dead_letter(self, number: int, reason: str) -> None:
        """The event was put aside as not usable."""
        if self._finish(number):
            self.dead_letters[reason] += 1

    def note_alert(self, number: int, domain: str, by: Iterable[By], arrival: Arrival) -> None:
        """An alert, or a later revision of one: what spoke already keeps the time at which it first did."""
        due_s = float(self._due_s[number])
        for one in by:
            item: Evidence = (number, domain, one)
            if item in self._alerted:
                continue
            self._alerted.add(item)
            self._unalerted.discard(item)
            if due_s >= self._measured_from_s:
                received_s, stamped_s = self._alert_s[one]
                received_s.append(arrival.at_s - due_s)
                stamped_s.append(arrival.stamped_s - due_s)

    @property
    def complete(self) -> bool:
        """Everything sent was acknowledged, ended as a prediction or dead letter, and raised what it must."""
        return self.acknowledged + self.refused == self.sent and self.lost == 0 and not self._unalerted

    @property
    def lost(self) -> int:
        """Acknowledged events with neither prediction nor dead letter (so far)."""
        return self.acknowledged - self._settled

    def lost_numbers(self, limit: int = KEPT) -> list[int]:
        """Numbers of the first of them."""
        return [int(n) for n in np.flatnonzero(~self._done & ~np.isnan(self._acknowledged_s))[:limit]]

    @property
    def unalerted(self) -> list[Evidence]:
        """Evidence that a prediction tells of and no alert held (so far), in order."""
        return sorted(self._unalerted)

    def behind_s(self, now_s: float) -> float:
        """How long ago the oldest event was due of those that were sent and are not done."""
        while self._oldest < self.sent and (
            self._done[self._oldest] or self._oldest in self._refused_numbers
        ):
            self._oldest += 1
        if self._oldest >= self.sent:
            return 0.0
        return max(0.0, now_s - float(self._due_s[self._oldest]))

    def sent_late_s(self) -> NDArray[np.float32]:
        """How much later than due each measured event was handed to the producer: this machine's own slowness."""
        return self._measured(self._sent_late_s)

    def acknowledgement_s(self) -> NDArray[np.float32]:
        """From due to Kafka's acknowledgement of the event."""
        return self._measured(self._acknowledged_s)

    def prediction(self) -> Latencies:
        """From due to the event's prediction."""
        return Latencies(*map(self._measured, self._predicted_s))

    def alerts(self, by: By) -> Latencies:
        """From due to the first revision of each alert (event and domain) that held evidence of this kind."""
        return Latencies(*(np.array(values, np.float32) for values in self._alert_s[by]))

    def _finish(self, number: int) -> bool:
        """Whether this is the first that came of the event; what comes again was delivered at least once."""
        if self._done[number]:
            self.repeated += 1
            return False
        self._done[number] = True
        self._settled += not np.isnan(self._acknowledged_s[number])
        return True

    def _measured(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        kept: NDArray[np.float32] = values[(self._due_s >= self._measured_from_s) & ~np.isnan(values)]
        return kept
