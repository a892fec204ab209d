"""How many rows go to the models together: fewer while they are slow, so that what is asked is answered in time (pure).

A request that misses its deadline has cost a slow server as much as one that was answered. With 64 rows in each of
four requests a server that scores 50 rows a second answers none of them within two seconds, and all its work is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Below this the frame of a request costs more than its rows: the worker would be the slow one.
FEWEST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Pace:
    """So many `rows` together, at most `most_rows`, such that they are scored in about `aim_s`.

    Halved when it took longer and doubled when it took less than a quarter: in between lies a factor of four, so that
    a doubling does not call for a halving. The rule by which TCP backs off (Jacobson, "Congestion Avoidance and
    Control", 1988), but going up as fast as down: rows that wait have a deadline.
    """

    rows: int
    most_rows: int
    aim_s: float

    @classmethod
    def full(cls, most_rows: int, *, aim_s: float) -> Pace:
        """As for models that are not slow."""
        return cls(most_rows, most_rows, aim_s)

    def after(self, rows: int, took_s: float, *, answered: bool) -> Pace:
        """The pace once so many rows came back. A failure that came at once says nothing about speed."""
        if took_s > self.aim_s:
            # By what was asked, not by what is asked now: of four that set out together each would halve it again.
            halved = max(min(FEWEST_ROWS, self.most_rows), rows // 2)
            return replace(self, rows=min(self.rows, halved))
        if answered and took_s < self.aim_s / 4 and rows >= self.rows:
            return replace(self, rows=min(self.most_rows, 2 * self.rows))
        return self
