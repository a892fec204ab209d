"""What the checker found: how much it looked at, and every complaint, counted by the promise that is broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: Complaints of one kind that are kept in words; all are counted.
SHOWN = 10


@dataclass
class Verdict:
    """Grows while the checks run. A campaign passes if there is no complaint."""

    counts: Counter[str] = field(default_factory=Counter)
    complaints: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    #: Measured, not judged: e.g. how long rules' alerts took while Triton was away, in seconds.
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing to complain of."""
        return not self.complaints

    def complain(self, promise: str, what: str) -> None:
        """A promise is broken; `what` says where."""
        self.complaints[promise] += 1
        shown = self.examples.setdefault(promise, [])
        if len(shown) < SHOWN:
            shown.append(what)
