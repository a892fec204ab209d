"""How a run stands, as one line for people (pure)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streams.stress.account import Account
from streams.stress.measures import percentiles


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts so far; percentiles in milliseconds, None while there are no values."""

    at_s: float
    due: int
    sent: int
    acknowledged: int
    predictions: int
    dead_letters: int
    waiting: int
    behind_s: float
    alerts: int
    p50_ms: float | None
    p99_ms: float | None
    refused: int

    @classmethod
    def of(cls, account: Account, at_s: float) -> Progress:
        """How the account stands at a time of the run. Percentiles are of all alerts."""
        received = np.concatenate([account.alerts("rule").received_s, account.alerts("model").received_s])
        figures = percentiles(received)
        return cls(
            at_s=at_s,
            due=account.due,
            sent=account.sent,
            acknowledged=account.acknowledged,
            predictions=account.predictions,
            dead_letters=account.dead_letters.total(),
            waiting=account.lost,
            behind_s=account.behind_s(at_s),
            alerts=len(received),
            p50_ms=figures.p50_ms if figures else None,
            p99_ms=figures.p99_ms if figures else None,
            refused=account.refused,
        )


def line(now: Progress, before: Progress | None) -> str:
    """One line, below 120 characters up to a million events; the rate is that since `before`."""
    elapsed_s = now.at_s - (before.at_s if before else 0.0)
    rate = (now.sent - (before.sent if before else 0)) / elapsed_s if elapsed_s > 0 else 0.0
    parts = [
        f"{now.at_s:4.0f} s",
        f"sent {now.sent:,} of {now.due:,} ({rate:,.0f}/s)",
        f"predictions {now.predictions:,}",
        f"waiting {now.waiting:,} ({now.behind_s:.1f} s)",
        f"alerts {now.alerts:,}",
        f"p50 {_ms(now.p50_ms)} p99 {_ms(now.p99_ms)}",
    ]
    if now.dead_letters:
        parts.append(f"dead letters {now.dead_letters:,}")
    if now.refused:
        parts.append(f"not acknowledged {now.refused:,}")
    return "  ".join(parts)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"
